package io.github.nettyunix.internal.readiness;

import io.github.nettyunix.internal.socket.CountedDescriptor;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandle;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoEvent;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;

/**
 * Readiness by epoll(7). Reading is level-triggered. A channel that is not reading must be notified of a hang-up only
 * once, and EPOLLHUP cannot be masked. Without READ interest, the socket is therefore watched edge-triggered.
 */
public final class EpollReadiness extends Readiness implements EpollIoHandle {
    public static final Selector SELECTOR = new Selector() {
        @Override
        public boolean isCompatible(IoEventLoop loop) {
            return loop.isCompatible(EpollIoHandle.class);
        }

        @Override
        public Readiness newReadiness(CountedDescriptor fd, Listener listener) {
            return new EpollReadiness(fd, listener);
        }
    };

    private static final int IN = EpollIoOps.EPOLLIN.value();
    private static final int OUT = EpollIoOps.EPOLLOUT.value();
    private static final int ERR = EpollIoOps.EPOLLERR.value();
    private static final int HUP = 0x10;
    private static final int RDHUP = EpollIoOps.EPOLLRDHUP.value();
    private static final int ET = EpollIoOps.EPOLLET.value();

    // Indexed by interest.
    private static final EpollIoOps[] OPS = {
            EpollIoOps.valueOf(RDHUP | ET), EpollIoOps.valueOf(RDHUP | IN),
            EpollIoOps.valueOf(RDHUP | ET | OUT), EpollIoOps.valueOf(RDHUP | IN | OUT),
    };

    // EPOLLERR and EPOLLHUP, which cannot be masked, are reported once while there is no interest.
    private static final EpollIoOps[] LEVEL_TRIGGERED_OPS = {
            EpollIoOps.valueOf(ET), EpollIoOps.valueOf(RDHUP | IN),
            EpollIoOps.valueOf(OUT), EpollIoOps.valueOf(RDHUP | IN | OUT),
    };

    private final FileDescriptor fd;

    private EpollReadiness(FileDescriptor fd, Listener listener) {
        super(listener);
        this.fd = fd;
    }

    @Override
    public FileDescriptor fd() {
        return fd;
    }

    @Override
    public void handle(IoRegistration registration, IoEvent event) {
        int events = ((EpollIoEvent) event).ops().value();
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
        return Operation.EPOLL_CTL;
    }

    @Override
    public String hint(int errno) {
        return errno == Errno.ENOSPC ? "fs.epoll.max_user_watches allows this user no more sockets" : null;
    }

    @Override
    protected IoHandle handle() {
        return this;
    }

    @Override
    protected void submit(IoRegistration registration, int before, int interest) {
        registration.submit((listener.isLevelTriggered() ? LEVEL_TRIGGERED_OPS : OPS)[interest]);
    }
}
