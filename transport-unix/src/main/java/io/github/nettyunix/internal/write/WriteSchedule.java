package io.github.nettyunix.internal.write;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.readiness.Interest;
import io.github.nettyunix.internal.readiness.Readiness;
import io.netty.util.concurrent.Future;

import java.util.concurrent.TimeUnit;

/**
 * Determines when a channel continues to write: when its socket has room, after the other channels of the loop, or
 * after a delay. As a task of the loop, it flushes the channel.
 */
public final class WriteSchedule implements Runnable {
    private final ChannelCore core;
    private final Interest interest;
    // The delayed attempt to write; null if there is none.
    private Future<?> retry;

    public WriteSchedule(ChannelCore core, Interest interest) {
        this.core = core;
        this.interest = interest;
    }

    /** All flushed messages were written: there is nothing to wait for. */
    public void complete() {
        interest.remove(Readiness.WRITE);
    }

    /** Continues when the socket has room: it has just refused to accept more. */
    public void awaitWritable() {
        core.counts().count(Counter.WRITE_WAITS);
        continueWhenWritable();
    }

    /** Continues when the socket has room. */
    void continueWhenWritable() {
        interest.add(Readiness.WRITE);
    }

    /** Enough was written for one turn: continue after the other channels have had theirs. */
    void yieldTurn() {
        complete();
        flushSoon();
    }

    /** As {@link #yieldTurn}, but no task of the loop delays what sockets report, however many tasks follow. */
    public void yieldToSockets() {
        complete();
        core.channel().eventLoop().schedule(this, 0, TimeUnit.NANOSECONDS);
    }

    /** Continues after the other channels have had their turn, whether or not the channel waits for room. */
    public void flushSoon() {
        core.channel().eventLoop().execute(this);
    }

    /**
     * Writes nothing before a delay has passed: the kernel is short of something, such as buffers, and does not report
     * when it has more. Only one delay is pending at a time.
     */
    public void retryAfter(long delay, TimeUnit unit) {
        if (retry == null) {
            core.counts().count(Counter.WRITE_RETRIES);
            retry = core.channel().eventLoop().schedule(() -> {
                retry = null;
                run();
            }, delay, unit);
        }
    }

    public void cancelRetry() {
        if (retry != null) {
            retry.cancel(false);
            retry = null;
        }
    }

    /** Whether writing is pointless before the socket has room, or before a delay has passed. */
    public boolean isWaiting() {
        return interest.contains(Readiness.WRITE) || retry != null;
    }

    /** Writes what is flushed. Does nothing on a loop that the channel has left: the next one does it. */
    @Override
    public void run() {
        if (core.isOnEventLoop()) {
            core.flushNow();
        }
    }
}
