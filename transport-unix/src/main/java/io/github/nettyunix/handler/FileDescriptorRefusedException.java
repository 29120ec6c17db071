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
 * Descriptors came in that are not wanted: too many of them, see {@link FileDescriptorLimitHandler} and
 * {@link FileDescriptorQueueHandler}, or of another type, see {@link FileDescriptorTypeHandler}. They have been closed.
 * Its errno is EACCES.
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

    /** Says which channel the descriptors came in at. */
    FileDescriptorRefusedException at(Channel channel) {
        socketType = typeOf(channel);
        address = channel.localAddress();
        return this;
    }

    /** The type of a channel's socket, {@code null} if it is not of this transport. */
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
     * Returns the address of the channel that the descriptors came in at.
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
