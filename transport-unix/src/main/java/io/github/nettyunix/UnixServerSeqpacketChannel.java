package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.endpoint.AdoptedSocket;
import io.github.nettyunix.internal.socket.UnixSocket;

/**
 * A server for connections that carry records (SOCK_SEQPACKET). It accepts {@link UnixSeqpacketChannel}s. macOS has no
 * such sockets.
 *
 * <p>The server listens once it is bound, to the path of a socket file or to an abstract name.
 * {@link UnixSocketOption#SOCKET_FILE} determines what happens if the path exists already, and which mode the file
 * gets.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/listen.2.html">listen(2)</a>
 */
public final class UnixServerSeqpacketChannel extends AbstractUnixServerChannel {
    /**
     * Creates a channel with a new socket, which is not bound yet.
     *
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process has reached its
     *         limit of descriptors
     */
    public UnixServerSeqpacketChannel() {
        this(NativeTransport.newSocket(SocketType.SEQPACKET));
    }

    UnixServerSeqpacketChannel(UnixSocket socket) {
        super(SocketType.SEQPACKET, socket);
    }

    /**
     * Creates a channel for an existing socket that is listening. The channel is active, and leaves the socket file in
     * place when it closes.
     *
     * @param fd a listening SOCK_SEQPACKET socket; the channel takes ownership of it and makes it non-blocking and
     *        close-on-exec
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is anything else; the caller keeps its ownership then
     */
    public static UnixServerSeqpacketChannel adopt(int fd) {
        return adopt(AdoptedSocket.of(fd, SocketType.SEQPACKET, true), UnixServerSeqpacketChannel::new);
    }

    @Override
    AbstractUnixChannel newChild(UnixSocket child) {
        return new UnixSeqpacketChannel(this, child);
    }
}
