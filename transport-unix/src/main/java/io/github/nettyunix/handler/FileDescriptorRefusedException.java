package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketError;
import io.netty.channel.Channel;
import io.netty.channel.unix.UnixChannel;

import java.io.IOException;
import java.net.SocketAddress;

/**
 * Thrown if a message brought descriptors that are not admitted: too many, see {@link FileDescriptorLimitHandler} and
 * {@link FileDescriptorQueueHandler}, or of another type, see {@link FileDescriptorTypeHandler}. They have been closed.
 * The errno is EACCES.
 */
public final class FileDescriptorRefusedException extends IOException implements UnixSocketError {
    private static final long serialVersionUID = 1;

    /** The same number on all platforms. */
    private static final int EACCES = 13;

    /** The type of the channel's socket; {@code null} if it is not known. */
    private SocketType socketType;
    /** The channel's address; {@code null} if it has none. */
    private SocketAddress address;

    FileDescriptorRefusedException(String message) {
        super(message);
    }

    /** Sets the channel at which the descriptors arrived. */
    FileDescriptorRefusedException at(Channel channel) {
        socketType = typeOf(channel);
        address = channel.localAddress();
        return this;
    }

    /** Returns the type of a channel's socket; {@code null} for channels of other transports. */
    static SocketType typeOf(Channel channel) {
        return channel instanceof UnixDatagramChannel ? SocketType.DATAGRAM
                : channel instanceof UnixSeqpacketChannel ? SocketType.SEQPACKET
                : channel instanceof UnixChannel ? SocketType.STREAM : null;
    }

    @Override
    public String operation() {
        return "read";
    }

    @Override
    public SocketType socketType() {
        return socketType;
    }

    /**
     * Returns the address of the channel at which the descriptors arrived.
     *
     * @return the local address; {@code null} if the channel has none
     */
    @Override
    public SocketAddress address() {
        return address;
    }

    @Override
    public int errno() {
        return EACCES;
    }

    @Override
    public String errnoName() {
        return "EACCES";
    }
}
