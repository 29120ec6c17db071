package io.github.nettyunix;

import io.github.nettyunix.readiness.Readiness;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.UncheckedBooleanSupplier;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * Decides when a channel reads, and reads until nothing is left, the user pauses, or other channels must have their
 * turn. What a read is, the channel decides.
 */
final class ReadLoop implements UncheckedBooleanSupplier {
    private final AbstractUnixChannel channel;
    // Null until a read fails.
    // Not made when it is needed: a process at its limit of descriptors cannot load a class from a folder.
    private final ReadFailures failures = new ReadFailures();
    private boolean readPending;
    private boolean scheduled;

    ReadLoop(AbstractUnixChannel channel) {
        this.channel = channel;
    }

    /** The channel was registered, on this loop or on another one than before. */
    void registered() {
        if (isPaused()) {
            // Auto-read may have been turned off while the channel was between two loops.
            channel.interest.prepare(Readiness.READ, false);
        } else if (readPending) {
            // A failed read may have been waiting for its next attempt on the previous loop.
            channel.interest.prepare(Readiness.READ, true);
        }
        // A task left on the previous loop does nothing.
        scheduled = false;
        failures.stopWaiting();
    }

    /** A read was requested. */
    void begin() {
        readPending = true;
        if (isWaitingAfterFailure() || channel.handOver() != null) {
            return;
        }
        channel.interest.add(Readiness.READ);
        if (channel.hasUndelivered()) {
            // No event will come for these messages.
            readSoon();
        }
    }

    private void readSoon() {
        if (!scheduled) {
            scheduled = true;
            channel.eventLoop().execute(() -> {
                if (channel.isAtHome()) {
                    scheduled = false;
                    readReady();
                }
            });
        }
    }

    /** Reads whatever arrives, without a request from a handler. */
    void expect() {
        channel.interest.add(Readiness.READ);
    }

    /** Auto-read was turned off. */
    void stop() {
        if (!channel.isRegistered()) {
            readPending = false;
            channel.interest.prepare(Readiness.READ, false);
        } else if (channel.eventLoop().inEventLoop()) {
            if (!channel.isDraining()) {
                clearInterest();
            }
        } else {
            channel.eventLoop().execute(() -> {
                if (channel.isAtHome() && isPaused()) {
                    clearInterest();
                }
            });
        }
    }

    void clearInterest() {
        readPending = false;
        channel.interest.remove(Readiness.READ);
    }

    /** Whether the user wants no more for now. */
    boolean isPaused() {
        return !readPending && !channel.config().isAutoRead() && !channel.isDraining();
    }

    /**
     * Fires a message through the pipeline, whose handlers may close the channel, stop reading, or request the next
     * message.
     */
    void fireRead(Object message) {
        readPending = false;
        channel.pipeline().fireChannelRead(message);
    }

    /** The socket may be readable; returns whether it was. */
    boolean readReady() {
        if (channel.interest.contains(Readiness.READ)) {
            return channel.isOpen() && readNow();
        }
        // Either a hang-up without interest in reading, or interest from the start for which no read was requested.
        channel.interest.submit();
        return false;
    }

    /** Returns false, and fires no event, if there was nothing to read. */
    private boolean readNow() {
        ChannelPipeline pipeline = channel.pipeline();
        ExtendedHandle allocHandle = channel.unixUnsafe().recvBufAllocHandle();
        allocHandle.reset(channel.config());
        Throwable cause = null;
        int result = AbstractUnixChannel.NOTHING;
        int count = 0;
        try {
            do {
                result = channel.doReadMessages(allocHandle, count);
                count += result;
            } while (result > 0 && channel.isOpen() && allocHandle.continueReading(this));
        } catch (Throwable t) {
            cause = t;
        }
        if (result == AbstractUnixChannel.NOTHING && count == 0 && cause == null) {
            channel.readTurnEnded(true);
            return false;
        }
        if (result == AbstractUnixChannel.END_OF_STREAM) {
            readPending = false;
        }
        allocHandle.readComplete();
        pipeline.fireChannelReadComplete();
        if (cause != null) {
            if (failures.isNew(cause)) {
                pipeline.fireExceptionCaught(cause);
            }
        } else {
            failures.succeeded();
        }
        if (result == AbstractUnixChannel.END_OF_STREAM || cause instanceof IOException
                || cause instanceof OutOfMemoryError) {
            channel.inputClosed(cause != null);
        }
        if (channel.isOpen()) {
            if (isPaused()) {
                clearInterest();
            } else if (cause != null) {
                readAfterFailure();
            }
            channel.readTurnEnded(false);
        }
        return true;
    }

    /** Whether the allocator should expect more, if it has not seen enough for one turn. */
    @Override
    public boolean get() {
        return channel.maybeMoreToRead(channel.unixUnsafe().recvBufAllocHandle());
    }

    /** A read has failed and the channel is open: an immediate attempt would fail as well. */
    private void readAfterFailure() {
        channel.interest.remove(Readiness.READ);
        channel.eventLoop().schedule(() -> {
            if (channel.isAtHome() && isWaitingAfterFailure()) {
                failures.stopWaiting();
                if (!isPaused()) {
                    channel.doBeginRead();
                }
            }
        }, failures.startWaiting(), TimeUnit.MILLISECONDS);
    }

    private boolean isWaitingAfterFailure() {
        return failures.isWaiting();
    }
}
