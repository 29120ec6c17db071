package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.ServerChannel;
import io.netty.channel.ServerChannelRecvByteBufAllocator;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.Arrays;

/** What listening channels of both types have in common. */
abstract class AbstractUnixServerChannel extends AbstractUnixChannel implements ServerChannel {
    // The length of the peer's name, and the name, as accept leaves them.
    private final byte[] peerName = new byte[1 + UnixSocket.MAX_NAME + 1];

    private boolean inputEnded;
    private boolean unusable;

    AbstractUnixServerChannel(SocketType type, UnixSocket socket) {
        super(null, type, socket, new ServerChannelRecvByteBufAllocator());
    }

    /** The channel of a connection. */
    abstract AbstractUnixChannel newChild(UnixSocket socket);

    @Override
    protected void doBind(SocketAddress localAddress) throws Exception {
        super.doBind(localAddress);
        try {
            int result = socket.startListening(config().backlog());
            if (result < 0) {
                throw newException("listen", result, null);
            }
            addresses.publish();
            activate();
        } catch (IOException e) {
            // It is bound, and cannot be bound again.
            unsafe().close(voidPromise());
            throw e;
        }
    }

    @Override
    int doReadMessages(ExtendedHandle allocHandle, int before) throws IOException {
        int fd = socket.acceptConnection(peerName);
        if (fd < 0) {
            if (fd == -Errno.EAGAIN && !inputEnded) {
                return NOTHING;
            }
            if (fd == -Errno.EAGAIN) {
                unusable = true;
                throw newException("accept", Errno.EINVAL, SHUT_DOWN);
            }
            unusable = fd == -Errno.EINVAL || fd == -Errno.EBADF || fd == -Errno.ENOTSOCK || fd == -Errno.EOPNOTSUPP;
            throw newException("accept", fd, null);
        }
        AbstractUnixChannel child = newChild(fd);
        // The allocator counts bytes to decide whether to continue.
        allocHandle.attemptedBytesRead(1);
        allocHandle.lastBytesRead(1);
        allocHandle.incMessagesRead(1);
        readLoop.fireRead(child);
        return 1;
    }

    private AbstractUnixChannel newChild(int fd) throws IOException {
        UnixSocket childSocket = new UnixSocket(fd);
        try {
            AbstractUnixChannel child = newChild(childSocket);
            child.config().controlData().inherit(config().controlData());
            child.setActive(localAddress(), peerName[0] == 0 ? UnixSocketAddress.unnamed()
                    : UnixSocketAddress.ofName(Arrays.copyOfRange(peerName, 1, 1 + peerName[0])));
            return child;
        } catch (Throwable t) {
            childSocket.close();
            throw t;
        }
    }

    /**
     * What waits in the backlog is accepted first, if the channel is reading; nothing else tells whether something
     * does.
     */
    @Override
    void inputEnded(boolean reading) {
        inputEnded = true;
    }

    @Override
    void inputClosed(boolean failed) {
        if (unusable) {
            unsafe().close(voidPromise());
        }
    }

    /** The kernel makes a socket before it sees that nobody has connected. */
    @Override
    boolean isTryingCheap() {
        return false;
    }

    @Override
    boolean maybeMoreToRead(ExtendedHandle allocHandle) {
        // Another readiness event costs less than an accept that finds no connection.
        return false;
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) {
        throw new UnsupportedOperationException("write to a server");
    }

    @Override
    protected Object filterOutboundMessage(Object message) {
        throw new UnsupportedOperationException("write to a server");
    }
}
