package io.github.nettyunix.internal.readiness;

import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.Channel;

import java.io.IOException;
import java.util.concurrent.Executor;

/** The events that a channel waits for, and its registration with the event loop that reports them. */
public final class Interest {
    /**
     * Readiness to read is reported although the channel does not read: the socket may say that there is room in
     * memory.
     */
    public static final int WAKE = 4;

    /** The channel that waits. */
    public interface Owner {
        Channel channel();

        /** Returns an exception that names the channel. */
        IOException newException(Operation operation, int errno, String hint);
    }

    private final Owner owner;
    private Readiness readiness;
    private int events;

    public Interest(Owner owner) {
        this.owner = owner;
    }

    public boolean contains(int event) {
        return (events & event) != 0;
    }

    public void add(int event) {
        set(events | event);
    }

    public void remove(int event) {
        set(events & ~event);
    }

    private void set(int newEvents) {
        if (newEvents != events) {
            events = newEvents;
            submit();
        }
    }

    /** Adds or removes an event for the next registration, without a system call. */
    public void prepare(int event, boolean wanted) {
        events = wanted ? events | event : events & ~event;
    }

    /** Submits the events to the selector, which skips the system call if they have not changed. */
    public void submit() {
        if (readiness == null) {
            return;
        }
        try {
            readiness.interest(watched(events));
        } catch (Readiness.RefusedException e) {
            refused(e);
        }
    }

    private static int watched(int events) {
        return ((events & WAKE) == 0 ? events : events | Readiness.READ) & (Readiness.READ | Readiness.WRITE);
    }

    /** The selector cannot watch the socket as it has to: the channel closes. */
    public void refused(Readiness.RefusedException e) {
        IOException cause = newException(e);
        Channel channel = owner.channel();
        // Not in the middle of a read or a write.
        channel.eventLoop().execute(() -> {
            if (channel.isOpen()) {
                channel.pipeline().fireExceptionCaught(cause);
                channel.unsafe().close(channel.voidPromise());
            }
        });
    }

    /** The channel was registered with an event loop. */
    public void registered(Readiness registered) {
        readiness = registered;
    }

    /**
     * Begins to watch the socket; does nothing if the channel is not registered. With auto-read on, a read is about to
     * be requested: watching for input from the start saves a system call.
     */
    public void start() throws IOException {
        if (readiness == null) {
            return;
        }
        try {
            readiness.start(watched(owner.channel().config().isAutoRead() ? events | Readiness.READ : events));
        } catch (Readiness.RefusedException e) {
            throw newException(e);
        }
    }

    /** Whether the event loop polls the socket for input all the time, with or without success. */
    public boolean isPolled() {
        return readiness != null && readiness.isBusyPolled();
    }

    /** Ends the registration. */
    public void cancel() {
        if (readiness != null) {
            readiness.cancel();
            readiness = null;
        }
    }

    /** Closes a channel; does nothing the second time. */
    public interface Close {
        void run() throws Exception;
    }

    /**
     * Closes a channel now if the selector holds the socket for a while; returns what runs the steps that have to wait
     * for the selector. If it does not hold the socket, or if closing fails, returns {@code null}, and the channel is
     * still to be closed.
     */
    public Executor closeHeld(Close close) {
        Executor release = readiness == null ? null : readiness.release();
        if (release == null) {
            return null;
        }
        try {
            close.run();
            return release;
        } catch (Exception e) {
            return null;
        }
    }

    private IOException newException(Readiness.RefusedException e) {
        IOException cause = owner.newException(readiness.systemCall(), e.errno(), readiness.hint(e.errno()));
        cause.initCause(e);
        return cause;
    }
}
