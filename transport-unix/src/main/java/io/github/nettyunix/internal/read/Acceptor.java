package io.github.nettyunix.internal.read;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.metrics.FlightEvents;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.Channel;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;

import java.io.IOException;
import java.util.Arrays;

/** Accepts the connections of a listening socket. */
public final class Acceptor implements ChannelReader {
    /** Makes the channels of connections. */
    public interface ChildFactory {
        /**
         * Returns the channel of a connection, which owns the socket.
         *
         * @param peer the name that the peer is bound to, empty if none
         */
        Channel newChild(UnixSocket socket, byte[] peer);
    }

    private static final byte[] UNNAMED = {};

    private final ChannelCore core;
    private final ReadLoop readLoop;
    private final ChildFactory factory;
    // Filled in by accept: the length of the peer's name, followed by the name.
    private final byte[] peerName = new byte[1 + UnixSocket.MAX_NAME + 1];

    private boolean inputEnded;
    private boolean unusable;

    public Acceptor(ChannelCore core, ReadLoop readLoop, ChildFactory factory) {
        this.core = core;
        this.readLoop = readLoop;
        this.factory = factory;
    }

    @Override
    public int read(ExtendedHandle allocHandle, int before) throws IOException {
        int fd = core.socket().acceptConnection(peerName);
        if (fd < 0) {
            if (fd == -Errno.EAGAIN && !inputEnded) {
                return NOTHING;
            }
            if (fd == -Errno.EAGAIN) {
                unusable = true;
                throw reported(core.newException(Operation.ACCEPT, Errno.EINVAL, SHUT_DOWN));
            }
            unusable = fd == -Errno.EINVAL || fd == -Errno.EBADF || fd == -Errno.ENOTSOCK || fd == -Errno.EOPNOTSUPP;
            throw reported(core.newException(Operation.ACCEPT, fd, null));
        }
        Channel child = newChild(fd);
        core.counts().count(Counter.ACCEPTED_CONNECTIONS);
        FlightEvents.accepted(core.channel(), core.type(), child);
        // The allocator counts bytes to decide whether to continue.
        allocHandle.attemptedBytesRead(1);
        allocHandle.lastBytesRead(1);
        allocHandle.incMessagesRead(1);
        readLoop.fireRead(child);
        return 1;
    }

    private <T extends Throwable> T reported(T cause) {
        core.counts().count(Counter.ACCEPT_ERRORS);
        FlightEvents.acceptFailed(core.channel(), core.type(), cause);
        return cause;
    }

    private Channel newChild(int fd) throws IOException {
        UnixSocket child = new UnixSocket(fd);
        try {
            int length = peerName[0];
            return factory.newChild(child, length == 0 ? UNNAMED : Arrays.copyOfRange(peerName, 1, 1 + length));
        } catch (Throwable t) {
            child.close();
            reported(t);
            throw t;
        }
    }

    /** The kernel creates a socket before it finds that nobody has connected. */
    @Override
    public boolean isPollingCheap() {
        return false;
    }

    /** Another readiness event costs less than an accept that finds no connection. */
    @Override
    public boolean maybeMore() {
        return false;
    }

    /** Another holder of the socket has shut it down. */
    public void inputEnded() {
        inputEnded = true;
    }

    /** Whether the socket will accept no more connections. */
    public boolean isUnusable() {
        return unusable;
    }
}
