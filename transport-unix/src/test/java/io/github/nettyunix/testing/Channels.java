package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.unix.UnixChannel;

import java.util.List;
import java.util.function.Supplier;

/** Bootstraps and pairs by socket type. */
public final class Channels {
    private Channels() {
    }

    /** For a connecting channel, or a datagram channel. */
    public static Bootstrap client(SocketType type, ChannelHandler handler) {
        return client(Loops.group(), type, handler);
    }

    /** The same on a group of the test's own. */
    public static Bootstrap client(EventLoopGroup group, SocketType type, ChannelHandler handler) {
        return new Bootstrap().group(group).channel(clientClass(type)).handler(handler);
    }

    /** Every accepted connection gets a handler of its own. */
    public static ServerBootstrap server(SocketType type, Supplier<ChannelHandler> child) {
        return server(Loops.group(), type, child);
    }

    /** The same on a group of the test's own. */
    public static ServerBootstrap server(EventLoopGroup group, SocketType type, Supplier<ChannelHandler> child) {
        return server(group, serverClass(type), child);
    }

    /** For a class that is none of a socket type's own. */
    public static ServerBootstrap server(Class<? extends ServerChannel> type, Supplier<ChannelHandler> child) {
        return server(Loops.group(), type, child);
    }

    private static ServerBootstrap server(EventLoopGroup group, Class<? extends ServerChannel> type,
                                          Supplier<ChannelHandler> child) {
        return new ServerBootstrap().group(group).channel(type)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(child.get());
                    }
                });
    }

    public static Class<? extends Channel> clientClass(SocketType type) {
        return switch (type) {
            case STREAM -> UnixStreamChannel.class;
            case SEQPACKET -> UnixSeqpacketChannel.class;
            case DATAGRAM -> UnixDatagramChannel.class;
        };
    }

    public static Class<? extends ServerChannel> serverClass(SocketType type) {
        return switch (type) {
            case STREAM -> UnixServerStreamChannel.class;
            case SEQPACKET -> UnixServerSeqpacketChannel.class;
            case DATAGRAM -> throw new IllegalArgumentException("datagram sockets do not listen");
        };
    }

    /** A new channel for a connection, or a datagram channel, not yet registered. */
    public static Channel newClient(SocketType type) {
        return switch (type) {
            case STREAM -> new UnixStreamChannel();
            case SEQPACKET -> new UnixSeqpacketChannel();
            case DATAGRAM -> new UnixDatagramChannel();
        };
    }

    /** A new channel that peers can reach once it is bound: a server, or a datagram channel; not yet registered. */
    public static Channel newBindable(SocketType type) {
        return switch (type) {
            case STREAM -> new UnixServerStreamChannel();
            case SEQPACKET -> new UnixServerSeqpacketChannel();
            case DATAGRAM -> new UnixDatagramChannel();
        };
    }

    /** Two connected channels, not yet registered. */
    public static List<? extends Channel> pair(SocketType type) {
        return switch (type) {
            case STREAM -> UnixStreamChannel.pair();
            case SEQPACKET -> UnixSeqpacketChannel.pair();
            case DATAGRAM -> UnixDatagramChannel.pair();
        };
    }

    /** Registers a channel with the shared group. */
    public static <C extends Channel> C register(C channel, ChannelHandler... handlers) throws InterruptedException {
        channel.pipeline().addLast(handlers);
        Loops.group().register(channel).sync();
        return channel;
    }

    /** The socket of a channel of ours. */
    public static UnixSocket socket(UnixChannel channel) {
        return (UnixSocket) channel.fd();
    }
}
