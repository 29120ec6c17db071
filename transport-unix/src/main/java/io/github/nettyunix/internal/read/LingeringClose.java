package io.github.nettyunix.internal.read;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.socket.Capabilities;
import io.netty.util.concurrent.Future;

import java.util.concurrent.TimeUnit;

/**
 * Ends a connection whose output has failed. Data that the peer sent before it went away is read to its end and
 * delivered; then the channel closes. It closes in any case:
 * <ul>
 * <li>If handlers read (auto-read is on), they receive data until the peer's output ends, or until nothing has arrived
 * for a while: the peer may have shut down only its input, and may keep the connection.</li>
 * <li>If handlers do not read, they receive what has arrived without a {@code read()}, because they may never call it.
 * If the kernel allows it, the input is shut down first, so that the peer cannot add to it without limit.</li>
 * </ul>
 */
public final class LingeringClose implements ReadLoop.Drain {
    private static final long PATIENCE_MILLIS = 1000;

    private final ChannelCore core;
    private final ReadLoop readLoop;
    private boolean draining;
    private boolean progress;
    private boolean turnScheduled;
    private Future<?> timer;

    public LingeringClose(ChannelCore core, ReadLoop readLoop) {
        this.core = core;
        this.readLoop = readLoop;
    }

    /** Begins to wait for the end of the input. */
    public void start() {
        if (readLoop.isPaused()) {
            drain();
        }
        schedule();
    }

    @Override
    public boolean isDraining() {
        return draining;
    }

    @Override
    public void turnEnded(boolean foundNothing) {
        if (draining && foundNothing) {
            core.close();
            return;
        }
        progress |= !foundNothing;
        if (!draining && readLoop.isPaused()) {
            drain();
        } else if (draining) {
            scheduleTurn();
        }
    }

    @Override
    public void onReregistered() {
        if (timer != null) {
            timer.cancel(false);
        }
        turnScheduled = false;
        if (draining) {
            scheduleTurn();
        }
        schedule();
    }

    private void schedule() {
        if (core.channel().isOpen()) {
            timer = core.channel().eventLoop().schedule(this::checkProgress, PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void checkProgress() {
        if (!core.channel().isOpen() || !core.isOnEventLoop()) {
            return;
        }
        if (draining && !(progress && isInputFinite())) {
            core.close();
            return;
        }
        if (!progress) {
            drain();
        }
        progress = false;
        schedule();
    }

    /** Whether nothing can be added to what has arrived: reading it ends, however slow the handlers are. */
    private boolean isInputFinite() {
        return Capabilities.SHUT_DOWN_INPUT_IS_READABLE || core.socket().isHungUp();
    }

    private void drain() {
        draining = true;
        if (Capabilities.SHUT_DOWN_INPUT_IS_READABLE) {
            // On other platforms this discards what has arrived. If it fails, the peer is gone and cannot add anything.
            core.socket().shutDown(true, false);
        }
        readLoop.expect();
        scheduleTurn();
    }

    /** No event reports messages that were received and not delivered. */
    private void scheduleTurn() {
        if (!turnScheduled) {
            turnScheduled = true;
            core.channel().eventLoop().execute(this::readTurn);
        }
    }

    private void readTurn() {
        if (core.isOnEventLoop()) {
            turnScheduled = false;
            readLoop.readReady();
        }
    }
}
