package io.github.nettyunix.internal;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.github.nettyunix.internal.read.ChannelReader;
import io.github.nettyunix.internal.readiness.Interest;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.netty.channel.DefaultFileRegion;

import java.io.IOException;

/** What the parts of a channel, including its reader and its writer, may call on it. */
public interface ChannelCore extends Interest.Owner, ChannelCounts.Owner {
    SocketType type();

    UnixSocket socket();

    /** The values of this transport's options. */
    ChannelSettings settings();

    ChannelReader reader();

    ChannelWriter writer();

    /** Fails if a file is shorter than its region. */
    void validate(DefaultFileRegion region, long position) throws IOException;

    /** Writes flushed messages, as far as the socket accepts them. */
    void flushNow();

    /** Returns the address that the socket is bound to; {@code null} if it is neither bound nor connected. */
    default UnixSocketAddress local() {
        return (UnixSocketAddress) channel().localAddress();
    }

    /** Returns the peer's address; {@code null} if there is none. */
    default UnixSocketAddress remote() {
        return (UnixSocketAddress) channel().remoteAddress();
    }

    /** Returns the name that identifies the channel in errors: the peer's, or its own if the peer has none. */
    default UnixSocketAddress endpointAddress() {
        UnixSocketAddress peer = remote();
        return peer == null || peer.isUnnamed() ? local() : peer;
    }

    @Override
    default IOException newException(Operation operation, int errno, String hint) {
        return SocketErrors.newException(operation, type(), endpointAddress(), errno, hint);
    }

    /** Whether this thread may use the channel. A task that remained on a loop that the channel has left may not. */
    default boolean isOnEventLoop() {
        return channel().isRegistered() && channel().eventLoop().inEventLoop();
    }

    /** Closes the channel. */
    default void close() {
        channel().unsafe().close(channel().voidPromise());
    }
}
