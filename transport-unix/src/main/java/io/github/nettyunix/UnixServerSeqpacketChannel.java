package io.github.nettyunix;

import io.github.nettyunix.socket.UnixSocket;

/**
 * A server for connections that carry records (SOCK_SEQPACKET, not on macOS): it accepts {@link UnixSeqpacketChannel}s.
 * It listens once it is bound to the path of a socket file or to an abstract name; how a path is treated that is taken
 * already, and which mode the file gets, {@link UnixSocketOption#SOCKET_FILE} says.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/listen.2.html">listen(2)</a>
 */
public final class UnixServerSeqpacketChannel extends AbstractUnixServerChannel {
    /**
     * A new socket, to be bound.
     *
     * @throws io.netty.channel.ChannelException if the process may have no more descriptors, or the platform has no
     *         such sockets
     */
    public UnixServerSeqpacketChannel() {
        this(newSocket(SocketType.SEQPACKET));
    }

    UnixServerSeqpacketChannel(UnixSocket socket) {
        super(SocketType.SEQPACKET, socket);
    }

    /**
     * A channel for a listening socket from elsewhere. It is active, and its file stays when it closes.
     *
     * @param fd a listening socket; the channel owns it and makes it non-blocking and close-on-exec
     * @return the channel, to be registered by the caller
     * @throws io.netty.channel.ChannelException if it is anything else; it stays the caller's then
     */
    public static UnixServerSeqpacketChannel adopt(int fd) {
        return (UnixServerSeqpacketChannel) UnixTransport.adopt(fd, SocketType.SEQPACKET, true);
    }

    @Override
    AbstractUnixChannel newChild(UnixSocket child) {
        return new UnixSeqpacketChannel(this, child);
    }
}
