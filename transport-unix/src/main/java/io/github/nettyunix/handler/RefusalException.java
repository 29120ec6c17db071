package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketError;
import io.netty.channel.Channel;
import io.netty.channel.unix.UnixChannel;

import java.io.IOException;
import java.net.SocketAddress;

/** A handler refuses a peer, or what a peer has sent. The errno is EACCES. */
abstract class RefusalException extends IOException implements UnixSocketError {
    private static final long serialVersionUID = 1;

    /** The same number on all platforms. */
    private static final int EACCES = 13;

    /** What was refused. */
    private final String operation;
    /** The type of the channel's socket; {@code null} if it is unknown. */
    private SocketType socketType;
    /** The channel's address; {@code null} if it has none. */
    private SocketAddress address;

    RefusalException(String operation, String message, Throwable cause) {
        super(message, cause);
        this.operation = operation;
    }

    /** Sets the channel that refuses. */
    final void setChannel(Channel channel) {
        socketType = typeOf(channel);
        address = channel.localAddress();
    }

    /** Returns the type of a channel's socket; {@code null} for channels of other transports. */
    static SocketType typeOf(Channel channel) {
        return channel instanceof UnixDatagramChannel ? SocketType.DATAGRAM
                : channel instanceof UnixSeqpacketChannel ? SocketType.SEQPACKET
                : channel instanceof UnixChannel ? SocketType.STREAM : null;
    }

    @Override
    public final String operation() {
        return operation;
    }

    @Override
    public final SocketType socketType() {
        return socketType;
    }

    /**
     * Returns the address of the channel that refuses.
     *
     * @return the local address; {@code null} if the channel has none
     */
    @Override
    public final SocketAddress address() {
        return address;
    }

    @Override
    public final int errno() {
        return EACCES;
    }

    @Override
    public final String errnoName() {
        return "EACCES";
    }
}
