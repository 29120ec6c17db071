package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.endpoint.AdoptedSocket;
import io.github.nettyunix.internal.socket.UnixSocket;

/**
 * A server for connections that carry records through shared memory. It accepts {@link UnixSharedMemoryChannel}s, which
 * become active when the peer has shared its memory, within their {@code CONNECT_TIMEOUT_MILLIS}. A peer that breaks
 * the protocol raises an exception in the pipeline of the accepted channel, which closes.
 *
 * <p>The server's socket is one of type SOCK_SEQPACKET, and is bound as that of a {@link UnixServerSeqpacketChannel}.
 */
public final class UnixServerSharedMemoryChannel extends AbstractUnixServerChannel {
    /**
     * Creates a channel with a new socket, which is not bound yet.
     *
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process has reached its
     *         limit of descriptors
     */
    public UnixServerSharedMemoryChannel() {
        this(NativeTransport.newSocket(SocketType.SEQPACKET));
    }

    private UnixServerSharedMemoryChannel(UnixSocket socket) {
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
    public static UnixServerSharedMemoryChannel adopt(int fd) {
        return adopt(AdoptedSocket.of(fd, SocketType.SEQPACKET, true), UnixServerSharedMemoryChannel::new);
    }

    @Override
    AbstractUnixChannel newChild(UnixSocket child) {
        return new UnixSharedMemoryChannel(this, child);
    }
}
