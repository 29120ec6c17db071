package io.github.nettyunix.internal.read;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.readiness.Interest;
import io.github.nettyunix.internal.readiness.Readiness;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.UncheckedBooleanSupplier;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;

/**
 * Decides when a channel reads, and reads until nothing is left, the user pauses, or it is other channels' turn. The
 * channel's {@link ChannelReader} determines what a read is.
 */
public final class ReadLoop implements UncheckedBooleanSupplier, Readiness.Poller {
    /** The parts of reading that a read loop delegates to its channel. */
    public interface Owner {
        /** Requests a read. */
        void beginRead();

        /** The end of the stream was read, or an error, which has been reported. */
        void inputClosed(boolean failed);
    }

    /** What was asked for last while the channel was on its way from one event loop to another. */
    private enum Asked {
        NOTHING, READ, STOP
    }

    /** Reads the input to its end, although the user may have stopped reading. */
    interface Drain {
        /** Whether the input is read without requests from handlers. */
        boolean isDraining();

        /** A turn of reading has ended, and the channel is still open. */
        void turnEnded(boolean foundNothing);

        /** The channel was registered with another event loop. */
        void onReregistered();
    }

    private static final AtomicReferenceFieldUpdater<ReadLoop, Asked> ASKED =
            AtomicReferenceFieldUpdater.newUpdater(ReadLoop.class, Asked.class, "asked");

    private final ChannelCore core;
    private final Owner owner;
    private final Interest interest;
    private final ReadBuffers buffers;
    // Not created on demand: a process at its limit of descriptors cannot load a class from a folder.
    private final ReadFailures failures = new ReadFailures();
    private Drain drain;
    // Set by any thread; all else belongs to the event loop.
    private volatile Asked asked = Asked.NOTHING;
    private boolean readPending;
    private boolean scheduled;
    // The socket is being handed over.
    private boolean suspended;

    // The kernel reports a reset before what the peer had sent; the channel reports it after that.
    private IOException reset;

    public ReadLoop(ChannelCore core, Owner owner, Interest interest) {
        this.core = core;
        this.owner = owner;
        this.interest = interest;
        buffers = new ReadBuffers(core.channel(), interest);
    }

    /** Returns the buffers that the reader's system calls read into. */
    ReadBuffers buffers() {
        return buffers;
    }

    /** The channel was registered, on this loop or on another one than before. */
    public void registered() {
        Asked what = takeAsked();
        if (what != Asked.NOTHING) {
            readPending = what == Asked.READ || readPending && !isStopped();
        }
        if (isPaused()) {
            // Auto-read may have been turned off while the channel was between two loops.
            interest.prepare(Readiness.READ, false);
        } else if (readPending) {
            // A failed read may have been waiting for its next attempt on the previous loop.
            interest.prepare(Readiness.READ, true);
        }
        // A task left on the previous loop does nothing.
        scheduled = false;
        failures.stopWaiting();
    }

    /** A read was requested. */
    public void begin() {
        if (!core.isOnEventLoop()) {
            // The task with this request has remained on the previous loop.
            ask(Asked.READ);
            return;
        }
        takeAsked();
        readPending = true;
        if (isWaitingAfterFailure() || suspended) {
            return;
        }
        interest.add(Readiness.READ);
        if (core.reader().awaitMessages()) {
            // No event will come for these messages.
            readSoon();
        }
    }

    /** Reads messages that no event reports, if there are any. */
    private void readNextTurn() {
        if (!scheduled && interest.contains(Readiness.READ) && core.reader().awaitMessages()) {
            readSoon();
        }
    }

    private void readSoon() {
        if (!scheduled) {
            scheduled = true;
            Runnable task = this::readScheduled;
            if (core.reader().isInMemory()) {
                // Memory may never become empty, so the loop must look at its sockets before this task.
                core.channel().eventLoop().schedule(task, 0, TimeUnit.NANOSECONDS);
            } else {
                core.channel().eventLoop().execute(task);
            }
        }
    }

    private void readScheduled() {
        if (core.isOnEventLoop()) {
            scheduled = false;
            readReady();
        }
    }

    /** Reads whatever arrives, without a request from a handler. */
    public void expect() {
        interest.add(Readiness.READ);
    }

    /** Leaves it to the next event loop, or to the one that has registered the channel meanwhile. */
    private void ask(Asked what) {
        asked = what;
        if (core.channel().isRegistered()) {
            core.channel().eventLoop().execute(this::answer);
        }
    }

    private Asked takeAsked() {
        return asked == Asked.NOTHING ? Asked.NOTHING : ASKED.getAndSet(this, Asked.NOTHING);
    }

    private void answer() {
        if (core.isOnEventLoop()) {
            Asked what = takeAsked();
            if (what == Asked.READ) {
                begin();
            } else if (what == Asked.STOP && isStopped()) {
                clearInterest();
            }
        }
    }

    private boolean isStopped() {
        return !core.channel().config().isAutoRead() && !isDraining();
    }

    /** Auto-read was turned off. */
    public void stop() {
        if (!core.channel().isRegistered()) {
            ask(Asked.STOP);
        } else if (core.channel().eventLoop().inEventLoop()) {
            if (!isDraining()) {
                clearInterest();
            }
        } else {
            core.channel().eventLoop().execute(() -> {
                if (core.isOnEventLoop() && isPaused()) {
                    clearInterest();
                }
            });
        }
    }

    public void clearInterest() {
        readPending = false;
        interest.remove(Readiness.READ);
    }

    /** Stops reading, or resumes reading as requested. */
    public void suspend(boolean suspend) {
        suspended = suspend;
    }

    /** Starts to read the input to its end. */
    public void startDrain(Drain started) {
        drain = started;
    }

    /** Whether the input is read to its end, after which the channel closes. */
    public boolean isEnding() {
        return drain != null;
    }

    /** The channel was registered again. Called after its other parts have been notified. */
    public void onReregistered() {
        answer();
        if (drain != null) {
            drain.onReregistered();
        }
    }

    private boolean isDraining() {
        return drain != null && drain.isDraining();
    }

    private void turnEnded(boolean foundNothing) {
        if (drain != null) {
            drain.turnEnded(foundNothing);
        }
    }

    /** Whether the user wants no more for now. */
    public boolean isPaused() {
        return !readPending && isStopped();
    }

    /**
     * Fires a message through the pipeline, whose handlers may close the channel, stop reading, or request the next
     * message.
     */
    public void fireRead(Object message) {
        readPending = false;
        core.channel().pipeline().fireChannelRead(message);
    }

    @Override
    public boolean poll() {
        core.reader().onPoll();
        return readReady();
    }

    @Override
    public boolean isPollingCheap() {
        return core.reader().isPollingCheap();
    }

    @Override
    public boolean isPollingFree() {
        return core.reader().isInMemory();
    }

    @Override
    public boolean canSleep() {
        return core.reader().canSleep();
    }

    /** The socket may be readable; returns whether it was. */
    public boolean readReady() {
        if (interest.contains(Readiness.READ)) {
            return core.channel().isOpen() && readNow();
        }
        // Either a hang-up without interest in reading, or interest from the start for which no read was requested.
        interest.submit();
        return false;
    }

    /** Returns false, and fires no event, if there was nothing to read. */
    private boolean readNow() {
        ChannelReader reader = core.reader();
        ChannelPipeline pipeline = core.channel().pipeline();
        ExtendedHandle allocHandle = (ExtendedHandle) core.channel().unsafe().recvBufAllocHandle();
        allocHandle.reset(core.channel().config());
        Throwable cause = null;
        int result = ChannelReader.NOTHING;
        int count = 0;
        try {
            do {
                result = reader.read(allocHandle, count);
                count += result;
            } while (result > 0 && core.channel().isOpen() && allocHandle.continueReading(this));
        } catch (Throwable t) {
            cause = t;
        }
        if (result == ChannelReader.NOTHING && count == 0 && cause == null) {
            readNextTurn();
            turnEnded(!scheduled);
            return false;
        }
        if (result == ChannelReader.END_OF_STREAM) {
            readPending = false;
        }
        allocHandle.readComplete();
        pipeline.fireChannelReadComplete();
        if (cause != null) {
            if (count > 0) {
                failures.progressed();
            }
            if (failures.isNew(cause)) {
                pipeline.fireExceptionCaught(cause);
            }
        } else {
            failures.succeeded();
        }
        if (result == ChannelReader.END_OF_STREAM || cause instanceof IOException
                || cause instanceof OutOfMemoryError) {
            owner.inputClosed(cause != null);
        }
        if (core.channel().isOpen()) {
            if (isPaused()) {
                clearInterest();
            } else if (cause != null) {
                readAfterFailure();
            } else {
                readNextTurn();
            }
            turnEnded(false);
        }
        return true;
    }

    /** Keeps a reset of the connection, which is to be reported at the end of the stream. */
    public void keepReset(IOException cause) {
        reset = cause;
    }

    /** Returns the reset that is to be reported at the end of the stream; {@code null} if there is none. */
    public IOException keptReset() {
        return reset;
    }

    /** Returns the exception to report at the end of the stream; {@code null} if there is none. */
    public IOException takeReset() {
        IOException cause = reset;
        reset = null;
        return cause;
    }

    /** Whether the allocator should expect more, if it has not seen enough for one turn. */
    @Override
    public boolean get() {
        return core.reader().maybeMore();
    }

    /** A read has failed and the channel is open: an immediate attempt would fail as well. */
    private void readAfterFailure() {
        core.counts().count(Counter.READ_RETRIES);
        interest.remove(Readiness.READ);
        core.channel().eventLoop().schedule(() -> {
            if (core.isOnEventLoop() && isWaitingAfterFailure()) {
                failures.stopWaiting();
                if (!isPaused()) {
                    owner.beginRead();
                }
            }
        }, failures.startWaiting(), TimeUnit.MILLISECONDS);
    }

    private boolean isWaitingAfterFailure() {
        return failures.isWaiting();
    }
}
