package io.github.nettyunix.internal.readiness;

import io.github.nettyunix.internal.socket.CountedDescriptor;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandle;
import io.netty.channel.IoRegistration;
import io.netty.channel.unix.Errors;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.Executor;

/**
 * The registration of a socket, or another descriptor, with an event loop, and all that channels know about epoll,
 * kqueue or io_uring. {@link #start} starts watching a socket. The socket must be connected, listening or
 * connectionless, because any other is ready for everything all the time. {@link #cancel()} ends the registration and
 * must be called before the socket is closed, because its open file may exist in another process as well.
 *
 * <p>All methods must be called on the event loop.
 */
public abstract class Readiness extends BusyReaders.Reader {
    /** Interest: {@link Listener#readReady} as long as there is something to read. */
    public static final int READ = 1;
    /** Interest: {@link Listener#writeReady} as soon as there is room. */
    public static final int WRITE = 2;

    /** Receives the events of the socket. Any of them may be spurious. */
    public interface Listener {
        /**
         * There is something to read: data, the end of the stream, or an error.
         *
         * @return whether there was
         */
        boolean readReady();

        /** Returns what a loop that spins calls between {@link #readReady}s. */
        Poller poller();

        /**
         * Whether {@link #writeReady} is called as long as there is room, and nothing is reported without interest. If
         * not, it is called once when there is room, and {@link #peerClosed} whatever the interest is.
         */
        default boolean isLevelTriggered() {
            return false;
        }

        /** There is room to write, or an error to be found by writing. */
        void writeReady();

        /**
         * The peer has gone, or will send no more; or, on a socket without a peer, another holder has shut its input
         * down. A listener that is not interested in reading is notified once when it happens, and once more after each
         * change of the interest; others are notified before every {@link #readReady}.
         */
        void peerClosed();

        /** The selector can no longer watch the socket. */
        void refused(RefusedException cause);

        /** The event loop shuts down. */
        void closeByLoop();
    }

    /** Looks for something to read without an event. */
    public interface Poller {
        /** Leaves everything to the selector. */
        Poller NONE = new Poller() {
            @Override
            public boolean poll() {
                return false;
            }

            @Override
            public boolean isPollingCheap() {
                return false;
            }

            @Override
            public boolean isPollingFree() {
                return false;
            }

            @Override
            public boolean canSleep() {
                return true;
            }
        };

        /** Reads, whether or not there is something to read; returns whether there was. */
        boolean poll();

        /** Whether {@link #poll} costs little where there is nothing. */
        boolean isPollingCheap();

        /** Whether {@link #poll} makes no system call where there is nothing. */
        boolean isPollingFree();

        /** The loop is about to sleep: returns whether it can, because an event will report what comes. */
        boolean canSleep();
    }

    /** Creates registrations with one kind of event loop. */
    public interface Selector {
        /** Whether {@code loop} is of this kind. */
        boolean isCompatible(IoEventLoop loop);

        /** Creates a registration, to be completed by {@link Readiness#register}. */
        Readiness newReadiness(CountedDescriptor fd, Listener listener);
    }

    /** The selector's system call has failed; the socket is watched as it was before. */
    public static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1;
        private final int errno;

        RefusedException(int errno, Throwable cause) {
            super(cause);
            this.errno = errno;
        }

        /** The platform's number of the error; 0 if it is not known. */
        public int errno() {
            return errno;
        }
    }

    private static final int NOT_STARTED = -1;

    final Listener listener;
    // The busy readers of the event loop, if it spins.
    BusyReaders busyReaders;

    private IoRegistration registration;
    private int submitted = NOT_STARTED;

    Readiness(Listener listener) {
        this.listener = listener;
    }

    /** The handle that the event loop has for this registration. */
    protected abstract IoHandle handle();

    /** The system call behind {@link #submit}. */
    public abstract Operation systemCall();

    /**
     * Submits the interest to the event loop, after {@code before}, or for the first time if that is negative.
     */
    protected abstract void submit(IoRegistration registration, int before, int interest);

    /** Returns which limit the errno of {@link #systemCall} points to, {@code null} if none. */
    public String hint(int errno) {
        return null;
    }

    /**
     * Returns what runs tasks as soon as the kernel lets go of a socket that is closed now, {@code null} if closing
     * frees it at once.
     */
    public Executor release() {
        return null;
    }

    /** Called just before the registration is cancelled. */
    protected void beforeCancel(IoRegistration registration, int interest) {
    }

    /** Registers with the loop; the socket is not watched yet. */
    public final Future<IoRegistration> register(IoEventLoop loop) {
        return loop.register(handle()).addListener(future -> {
            if (future.isSuccess()) {
                registration = (IoRegistration) future.getNow();
            }
        });
    }

    /** Begins to watch the socket. */
    public final void start(int interest) throws RefusedException {
        if (submitted == NOT_STARTED) {
            change(interest);
        }
    }

    /** Changes the interest; does nothing before {@link #start}. */
    public final void interest(int interest) throws RefusedException {
        if (submitted != NOT_STARTED && submitted != interest) {
            change(interest);
        }
    }

    private void change(int interest) throws RefusedException {
        try {
            submit(registration, submitted, interest);
        } catch (UncheckedIOException e) {
            throw newRefused(e);
        }
        setReading((interest & READ) != 0);
        submitted = interest;
    }

    static RefusedException newRefused(UncheckedIOException e) {
        int errno = e.getCause() instanceof Errors.NativeIoException failure ? Math.abs(failure.expectedErr()) : 0;
        return new RefusedException(errno, e.getCause());
    }

    /** Adds this socket to, or removes it from, those that a spinning event loop polls. */
    private void setReading(boolean reading) {
        if (busyReaders == null || reading == isPolled() || !listener.poller().isPollingCheap()) {
            return;
        }
        if (reading) {
            busyReaders.add(this);
        } else {
            busyReaders.remove(this);
        }
    }

    /** Whether {@link Listener#readReady} is called again and again, although nothing may have arrived. */
    public final boolean isBusyPolled() {
        return isPolled();
    }

    @Override
    final boolean poll() {
        return listener.poller().poll();
    }

    @Override
    final boolean canSleep() {
        return listener.poller().canSleep();
    }

    /** Ends the registration. */
    public final void cancel() {
        setReading(false);
        if (registration.isValid()) {
            if (submitted != NOT_STARTED) {
                beforeCancel(registration, submitted);
            }
            registration.cancel();
        }
    }
}
