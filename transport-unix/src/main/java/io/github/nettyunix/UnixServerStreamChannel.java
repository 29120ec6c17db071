package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.endpoint.AdoptedSocket;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.unix.ServerDomainSocketChannel;

/**
 * A server for connections that carry bytes (SOCK_STREAM). It accepts {@link UnixStreamChannel}s.
 *
 * <p>The server listens once it is bound, to the path of a socket file or to an abstract name.
 * {@link UnixSocketOption#SOCKET_FILE} determines what happens if the path exists already, and which mode the file
 * gets.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/listen.2.html">listen(2)</a>
 */
public final class UnixServerStreamChannel extends AbstractUnixServerChannel implements ServerDomainSocketChannel {
    /**
     * Creates a channel with a new socket, which is not bound yet.
     *
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process has reached its
     *         limit of descriptors
     */
    public UnixServerStreamChannel() {
        this(NativeTransport.newSocket(SocketType.STREAM));
    }

    UnixServerStreamChannel(UnixSocket socket) {
        super(SocketType.STREAM, socket);
    }

    /**
     * Creates a channel for an existing socket that is listening. The channel is active, and leaves the socket file in
     * place when it closes.
     *
     * @param fd a listening SOCK_STREAM socket; the channel takes ownership of it and makes it non-blocking and
     *        close-on-exec
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is anything else; the caller keeps its ownership then
     */
    public static UnixServerStreamChannel adopt(int fd) {
        return adopt(AdoptedSocket.of(fd, SocketType.STREAM, true), UnixServerStreamChannel::new);
    }

    @Override
    AbstractUnixChannel newChild(UnixSocket child) {
        return new UnixStreamChannel(this, child);
    }
}
