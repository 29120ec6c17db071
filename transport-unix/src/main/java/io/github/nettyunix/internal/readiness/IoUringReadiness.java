package io.github.nettyunix.internal.readiness;

import io.github.nettyunix.internal.socket.CountedDescriptor;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandle;
import io.netty.channel.IoRegistration;
import io.netty.channel.uring.IoUringIoEvent;
import io.netty.channel.uring.IoUringIoHandle;
import io.netty.channel.uring.IoUringIoOps;
import io.netty.util.internal.logging.InternalLogger;
import io.netty.util.internal.logging.InternalLoggerFactory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;

/**
 * Readiness by io_uring(7), with one poll at a time. Reading is level-triggered: the poll ends with its first event and
 * is submitted again when the event has been handled, together with the loop's next wait. A channel that is not reading
 * must be notified of a hang-up only once, and POLLHUP cannot be masked. Without READ interest, the poll is therefore a
 * multishot one, which is edge-triggered and needs Linux 5.13.
 */
public final class IoUringReadiness extends Readiness implements IoUringIoHandle {
    public static final Selector SELECTOR = new Selector() {
        @Override
        public boolean isCompatible(IoEventLoop loop) {
            return loop.isCompatible(IoUringIoHandle.class);
        }

        @Override
        public Readiness newReadiness(CountedDescriptor fd, Listener listener) {
            return new IoUringReadiness(fd, listener);
        }
    };

    private static final InternalLogger LOGGER = InternalLoggerFactory.getInstance(IoUringReadiness.class);

    // From linux/io_uring.h and poll(2). Netty has these constants too, but they are not public.
    private static final byte POLL_ADD = 6;
    // Unlike POLL_REMOVE, it also ends a multishot poll that has just found an event.
    private static final byte ASYNC_CANCEL = 14;
    private static final int MULTISHOT = 1;
    private static final int MORE = 2;
    private static final int IN = 0x1;
    private static final int OUT = 0x4;
    private static final int ERR = 0x8;
    private static final int HUP = 0x10;
    private static final int RDHUP = 0x2000;

    private final CountedDescriptor fd;
    private int interest;
    // Whether the poll is for another interest than the current one.
    private boolean outdated;
    // The kernel's name of the poll that is under way; 0 if there is none.
    private long poll;
    // Tells the events of this poll from those of its predecessors. Netty carries numbers of 16 bits at no cost.
    private short sequence;
    private boolean handling;
    // The polls of which the kernel has not reported the end.
    private int unfinished;
    // Whether they keep the socket's number in use.
    private boolean holding;
    // What waits for the end of the last.
    private Queue<Runnable> waiting;

    private IoUringReadiness(CountedDescriptor fd, Listener listener) {
        super(listener);
        this.fd = fd;
    }

    @Override
    @SuppressWarnings("deprecation") // What replaces data() is newer than the oldest Netty that will do.
    public void handle(IoRegistration registration, IoEvent event) {
        IoUringIoEvent completion = (IoUringIoEvent) event;
        if (completion.opcode() != POLL_ADD) {
            return;
        }
        boolean last = (completion.flags() & MORE) == 0;
        if (last) {
            finished();
        }
        if (poll == 0 || completion.data() != sequence) {
            return;
        }
        if (last) {
            poll = 0;
        }
        int events = completion.res();
        if (events < 0) {
            listener.refused(new RefusedException(-events, null));
            return;
        }
        handling = true;
        try {
            dispatch(events);
        } finally {
            handling = false;
            updateOrRefuse(registration);
        }
    }

    private void dispatch(int events) {
        if ((events & (OUT | ERR)) != 0) {
            listener.writeReady();
        }
        if ((events & (RDHUP | HUP)) != 0) {
            listener.peerClosed();
        }
        if ((events & (IN | ERR | HUP | RDHUP)) != 0) {
            listener.readReady();
        }
    }

    @Override
    public void close() {
        listener.closeByLoop();
    }

    @Override
    public Operation systemCall() {
        return Operation.IO_URING_ENTER;
    }

    @Override
    public String hint(int errno) {
        return errno == Errno.EINVAL ? "multishot polls need Linux 5.13" : null;
    }

    @Override
    protected IoHandle handle() {
        return this;
    }

    @Override
    protected void submit(IoRegistration registration, int before, int newInterest) {
        interest = newInterest;
        outdated = true;
        if (!handling) {
            update(registration);
        }
    }

    private void updateOrRefuse(IoRegistration registration) {
        try {
            update(registration);
        } catch (UncheckedIOException e) {
            listener.refused(newRefused(e));
        }
    }

    private void update(IoRegistration registration) {
        if (outdated) {
            removePoll(registration);
            outdated = false;
        }
        boolean levelTriggered = listener.isLevelTriggered();
        if (poll == 0 && registration.isValid() && (interest != 0 || !levelTriggered)) {
            boolean reading = (interest & READ) != 0;
            int mask = (reading ? IN : 0) | ((interest & WRITE) != 0 ? OUT : 0)
                    | (reading || !levelTriggered ? RDHUP : 0);
            int flags = reading || levelTriggered ? 0 : MULTISHOT;
            poll = submit(registration, POLL_ADD, fd.intValue(), 0, flags, mask, ++sequence);
            unfinished++;
        }
    }

    private void removePoll(IoRegistration registration) {
        if (poll != 0) {
            submit(registration, ASYNC_CANCEL, -1, poll, 0, 0, (short) 0);
            poll = 0;
        }
    }

    @SuppressWarnings("deprecation") // As above.
    private static long submit(IoRegistration registration, byte opcode, int fd, long address, int flags, int mask,
            short data) {
        try {
            return registration.submit(new IoUringIoOps(opcode, (byte) 0, (short) 0, fd, 0, address, flags, mask, data,
                    (short) 0, (short) 0, 0, 0));
        } catch (RuntimeException e) {
            // The ring is full, and the kernel takes nothing out of it.
            throw e instanceof UncheckedIOException failure ? failure : new UncheckedIOException(new IOException(e));
        }
    }

    /**
     * A poll keeps the socket open after its descriptor was closed, and one that has not reached the kernel yet would
     * watch whatever has the number by then. So the number stays in use until all polls have ended.
     */
    @Override
    protected void beforeCancel(IoRegistration registration, int last) {
        try {
            removePoll(registration);
        } catch (UncheckedIOException e) {
            LOGGER.warn("A poll of a closed socket goes on until its next event.", e);
            poll = 0;
        }
        holding = unfinished > 0 && fd.beginUse();
    }

    @Override
    public Executor release() {
        if (unfinished == 0) {
            return null;
        }
        if (waiting == null) {
            waiting = new ArrayDeque<>(1);
        }
        return waiting::add;
    }

    /** The kernel has let go of one poll's socket. */
    private void finished() {
        if (--unfinished > 0) {
            return;
        }
        if (holding) {
            holding = false;
            fd.endUse();
        }
        if (waiting != null) {
            Queue<Runnable> tasks = waiting;
            waiting = null;
            tasks.forEach(Runnable::run);
        }
    }
}
