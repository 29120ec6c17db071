package io.github.nettyunix.internal.readiness;

import io.github.nettyunix.internal.socket.CountedDescriptor;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandle;
import io.netty.channel.IoRegistration;
import io.netty.channel.kqueue.KQueueIoEvent;
import io.netty.channel.kqueue.KQueueIoHandle;
import io.netty.channel.kqueue.KQueueIoOps;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.internal.PlatformDependent;

/**
 * Readiness by kqueue(2), which has a filter for each direction. Reading is level-triggered. A channel that is not
 * reading must be notified of the end of the stream only once: the read filter remains for this, but clears itself when
 * it has fired.
 */
public final class KQueueReadiness extends Readiness implements KQueueIoHandle {
    public static final Selector SELECTOR = new Selector() {
        @Override
        public boolean isCompatible(IoEventLoop loop) {
            return loop.isCompatible(KQueueIoHandle.class);
        }

        @Override
        public Readiness newReadiness(CountedDescriptor fd, Listener listener) {
            return new KQueueReadiness(fd, listener);
        }
    };

    // From sys/event.h. Netty has these constants too, but they are not public.
    private static final boolean NETBSD = PlatformDependent.normalizedOs().equals("netbsd");
    private static final int EVFILT_READ = NETBSD ? 0 : -1;
    private static final int EVFILT_WRITE = NETBSD ? 1 : -2;
    private static final int EV_ADD = 1;
    private static final int EV_DELETE = 2;
    private static final int EV_CLEAR = 0x20;
    private static final int EV_EOF = 0x8000;

    private static final KQueueIoOps READ_ON = ops(EVFILT_READ, EV_ADD);
    private static final KQueueIoOps READ_PAUSED = ops(EVFILT_READ, EV_ADD | EV_CLEAR);
    private static final KQueueIoOps READ_OFF = ops(EVFILT_READ, EV_DELETE);
    private static final KQueueIoOps WRITE_ON = ops(EVFILT_WRITE, EV_ADD);
    private static final KQueueIoOps WRITE_OFF = ops(EVFILT_WRITE, EV_DELETE);

    private final FileDescriptor fd;

    private KQueueReadiness(FileDescriptor fd, Listener listener) {
        super(listener);
        this.fd = fd;
    }

    private static KQueueIoOps ops(int filter, int flags) {
        return KQueueIoOps.newOps((short) filter, (short) flags, 0);
    }

    @Override
    public int ident() {
        return fd.intValue();
    }

    @Override
    public void handle(IoRegistration registration, IoEvent event) {
        KQueueIoEvent kevent = (KQueueIoEvent) event;
        if (kevent.filter() == EVFILT_WRITE) {
            listener.writeReady();
        } else {
            if ((kevent.flags() & EV_EOF) != 0) {
                listener.peerClosed();
            }
            listener.readReady();
        }
    }

    @Override
    public void close() {
        listener.closeByLoop();
    }

    @Override
    public Operation systemCall() {
        return Operation.KEVENT;
    }

    @Override
    protected IoHandle handle() {
        return this;
    }

    @Override
    protected void submit(IoRegistration registration, int before, int interest) {
        boolean first = before < 0;
        int changed = first ? interest | permanentFilters() : before ^ interest;
        if ((changed & READ) != 0) {
            if (((before | permanentFilters()) & READ) != 0 && !first) {
                // Adding a filter that exists does not change whether it clears itself.
                registration.submit(READ_OFF);
            }
            if ((interest & READ) != 0) {
                registration.submit(READ_ON);
            } else if (!listener.isLevelTriggered()) {
                registration.submit(READ_PAUSED);
            }
        }
        if ((changed & WRITE) != 0) {
            registration.submit((interest & WRITE) != 0 ? WRITE_ON : WRITE_OFF);
        }
    }

    /** The filters that exist without interest. */
    private int permanentFilters() {
        return listener.isLevelTriggered() ? 0 : READ;
    }

    /**
     * Changes reach the kernel when the loop next waits for events. By then the socket is closed, and its number may
     * belong to another file. Closing has removed the filters that the kernel had, but those that were still to be
     * added would be added to the other file. They are therefore deleted in the same call.
     */
    @Override
    protected void beforeCancel(IoRegistration registration, int interest) {
        if (fd.isOpen()) {
            if (((interest | permanentFilters()) & READ) != 0) {
                registration.submit(READ_OFF);
            }
            if ((interest & WRITE) != 0) {
                registration.submit(WRITE_OFF);
            }
        }
    }
}
