package io.github.nettyunix;

import io.netty.channel.ChannelPromise;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * A connect that waits for the server to accept others first. The kernel refuses it with EAGAIN while the backlog is full and
 * has no event for the moment when it is not, so it is tried again, until CONNECT_TIMEOUT_MILLIS have passed.
 */
final class PendingConnect implements Runnable {
    private static final long FIRST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LAST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(64);

    private final AbstractUnixChannel channel;
    private final UnixSocketAddress address;
    private final ChannelPromise promise;
    private final int timeoutMillis;
    private final long deadline;
    private long delay = FIRST_DELAY_NANOS;
    private Future<?> retry;

    PendingConnect(AbstractUnixChannel channel, UnixSocketAddress address, ChannelPromise promise) {
        this.channel = channel;
        this.address = address;
        this.promise = promise;
        timeoutMillis = channel.config().getConnectTimeoutMillis();
        deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    }

    void start() {
        promise.addListener(future -> {
            if (future.isCancelled()) {
                channel.pendingConnectDone();
                channel.unsafe().close(channel.voidPromise());
            }
        });
        retryLater();
    }

    @Override
    public void run() {
        if (channel.pendingConnect() != this || !channel.isAtHome()) {
            return;
        }
        try {
            if (channel.addresses.tryConnect(address)) {
                channel.pendingConnectDone();
                channel.unixUnsafe().connected(promise, false);
            } else if (nanosLeft() <= 0) {
                throw UnixErrors.newConnectTimeout(channel.type, address, timeoutMillis);
            } else {
                retryLater();
            }
        } catch (IOException e) {
            channel.pendingConnectDone();
            channel.unsafe().close(channel.voidPromise());
            promise.tryFailure(e);
        }
    }

    /** The channel has come to another loop: the retry on the loop before is in vain. */
    void resume() {
        retry.cancel(false);
        run();
    }

    /** The attempt that is scheduled. */
    Future<?> retry() {
        return retry;
    }

    /** The channel closes. */
    void fail(Exception cause) {
        retry.cancel(false);
        channel.pendingConnectDone();
        promise.tryFailure(cause);
    }

    private void retryLater() {
        retry = channel.eventLoop().schedule(this, Math.min(delay, nanosLeft()), TimeUnit.NANOSECONDS);
        delay = Math.min(delay * 2, LAST_DELAY_NANOS);
    }

    /** Until the timeout; 0 milliseconds are none. */
    private long nanosLeft() {
        return timeoutMillis == 0 ? Long.MAX_VALUE : deadline - System.nanoTime();
    }
}
