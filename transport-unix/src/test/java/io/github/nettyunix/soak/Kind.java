package io.github.nettyunix.soak;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixServerSharedMemoryChannel;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Loops;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelHandler;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/** The kinds of channels: one of each socket type, and those with shared memory. */
enum Kind {
    STREAM, SEQPACKET, DATAGRAM, SHARED_MEMORY;

    /** Those that work here. */
    static List<Kind> supported() {
        return Arrays.stream(values()).filter(Kind::isSupported).toList();
    }

    private boolean isSupported() {
        return this == SHARED_MEMORY ? UnixTransport.supportsSharedMemory() : UnixTransport.supports(type());
    }

    private SocketType type() {
        return SocketType.valueOf(name());
    }

    Bootstrap client(ChannelHandler handler) {
        return this == SHARED_MEMORY
                ? new Bootstrap().group(Loops.group()).channel(UnixSharedMemoryChannel.class).handler(handler)
                : Channels.client(type(), handler);
    }

    ServerBootstrap server(Supplier<ChannelHandler> child) {
        return this == SHARED_MEMORY ? Channels.server(UnixServerSharedMemoryChannel.class, child)
                : Channels.server(type(), child);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
