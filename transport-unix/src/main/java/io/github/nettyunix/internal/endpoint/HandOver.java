package io.github.nettyunix.internal.endpoint;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.read.ReadLoop;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.Promise;

import java.nio.channels.ClosedChannelException;

/**
 * Hands a channel's socket over to another owner. Reading stops, what was already read is delivered, and what was
 * flushed is written. Then no data of the socket is left in this process, and a descriptor of it is given away.
 */
public final class HandOver {
    /** The channel, which keeps track of its handover. */
    public interface Owner {
        /** Returns the handover in progress; {@code null} if there is none. */
        HandOver handOver();

        void setHandOver(HandOver handOver);
    }

    private final ChannelCore core;
    private final Owner owner;
    private final ReadLoop readLoop;
    private final Endpoint endpoint;
    private final Channel channel;
    private final Promise<UnixFileDescriptor> promise;
    private boolean autoRead;
    private boolean readWanted;
    private boolean drained;

    private HandOver(ChannelCore core, Owner owner, ReadLoop readLoop, Endpoint endpoint,
            Promise<UnixFileDescriptor> promise) {
        this.core = core;
        this.owner = owner;
        this.readLoop = readLoop;
        this.endpoint = endpoint;
        channel = core.channel();
        this.promise = promise;
    }

    /** Begins to hand over a channel's socket; see {@code UnixTransport.handOver}. */
    public static Future<UnixFileDescriptor> of(ChannelCore core, Owner owner, ReadLoop readLoop, Endpoint endpoint) {
        Channel channel = core.channel();
        if (!channel.isRegistered()) {
            // No event loop reads now.
            HandOver handOver = new HandOver(core, owner, readLoop, endpoint,
                    GlobalEventExecutor.INSTANCE.newPromise());
            if (core.reader().hasMessages() || readLoop.keptReset() != null) {
                handOver.promise.setFailure(newBetweenLoops());
            } else if (handOver.giveAway()) {
                channel.unsafe().closeForcibly();
            }
            return handOver.promise;
        }
        HandOver handOver = new HandOver(core, owner, readLoop, endpoint, channel.eventLoop().newPromise());
        handOver.promise.addListener(done -> {
            if (done.isCancelled()) {
                handOver.goOn();
            }
        });
        if (channel.eventLoop().inEventLoop()) {
            handOver.stopReading();
        }
        // After the message whose handler has requested it.
        handOver.later(handOver::begin);
        return handOver.promise;
    }

    private void later(Runnable task) {
        channel.eventLoop().execute(() -> {
            if (core.isOnEventLoop()) {
                task.run();
            } else if (channel.isRegistered()) {
                later(task);
            } else if (!channel.isOpen()) {
                promise.tryFailure(new ClosedChannelException());
            } else {
                promise.tryFailure(newBetweenLoops());
                goOn();
            }
        });
    }

    private static IllegalStateException newBetweenLoops() {
        return new IllegalStateException("the channel has left its event loop");
    }

    /** Returns false if the channel ends, or if somebody else has begun to hand it over. */
    private boolean stopReading() {
        if (owner.handOver() == this) {
            return true;
        }
        if (isEnding()) {
            promise.tryFailure(new ClosedChannelException());
            return false;
        }
        if (owner.handOver() != null) {
            promise.tryFailure(new IllegalStateException("the channel is being handed over already"));
            return false;
        }
        autoRead = channel.config().isAutoRead();
        readWanted = !readLoop.isPaused();
        owner.setHandOver(this);
        readLoop.suspend(true);
        channel.config().setAutoRead(false);
        readLoop.clearInterest();
        return true;
    }

    /** Whether the channel is closed, or reads the rest of the input in order to close after a failed write. */
    private boolean isEnding() {
        return !channel.isOpen() || readLoop.isEnding();
    }

    /** The channel keeps its socket and continues. */
    private void goOn() {
        if (owner.handOver() == this) {
            owner.setHandOver(null);
            readLoop.suspend(false);
            if (autoRead) {
                channel.config().setAutoRead(true);
            }
            // What was requested meanwhile has had no effect.
            if (readWanted || !readLoop.isPaused()) {
                channel.read();
            } else if (core.isOnEventLoop()) {
                // Nor had the end of the peer's output, which is reported again after a change of the interest.
                readLoop.expect();
                readLoop.clearInterest();
            }
        }
    }

    private void begin() {
        if (promise.isDone()) {
            return;
        }
        if (stopReading()) {
            if (core.reader().hasMessages()) {
                core.reader().drain();
                channel.pipeline().fireChannelReadComplete();
            }
            if (readLoop.keptReset() != null) {
                // The kernel has reported it, which it does once: the new owner would take it for an orderly end.
                promise.tryFailure(new ClosedChannelException().initCause(readLoop.keptReset()));
                goOn();
                return;
            }
            drained = true;
            wrote();
        }
    }

    /** Called when messages were written, or failed. */
    public void wrote() {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        // There is no buffer once the output has ended, nor while the channel closes.
        boolean isWritten = buffer == null ? core.socket().isOutputShutdown() : buffer.isEmpty();
        if (!drained || promise.isDone() || !channel.isOpen() || !isWritten) {
            return;
        }
        drained = false;
        if (giveAway()) {
            // Closing empties the pipeline, from whose handlers the listeners may still take data.
            channel.eventLoop().execute(() -> core.close());
        } else {
            goOn();
        }
    }

    /** Returns false if the channel keeps its socket. */
    private boolean giveAway() {
        if (!promise.setUncancellable()) {
            return false;
        }
        if (isEnding()) {
            promise.setFailure(new ClosedChannelException());
            return false;
        }
        UnixFileDescriptor fd;
        try {
            fd = UnixFileDescriptor.dup(core.socket());
        } catch (Throwable t) {
            // Catch everything, including failures to load a class.
            promise.setFailure(t);
            return false;
        }
        // It belongs to the new owner, too.
        endpoint.keepFile();
        promise.setSuccess(fd);
        return true;
    }

    /** A write has failed: the channel keeps its socket, from which it reads the rest before it closes. */
    public void writeFailed(Throwable cause) {
        promise.tryFailure(new ClosedChannelException().initCause(cause));
        goOn();
    }

    /** Whether the socket belongs to somebody else. */
    public boolean isGivenAway() {
        return promise.isSuccess();
    }

    /** The channel was closed. */
    public void closed() {
        promise.tryFailure(new ClosedChannelException());
    }
}
