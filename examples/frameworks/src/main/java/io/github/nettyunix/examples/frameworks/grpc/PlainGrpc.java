package io.github.nettyunix.examples.frameworks.grpc;

import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;

import java.io.IOException;

/** A server and a client of gRPC with nothing but its own builders. */
public final class PlainGrpc {
    private PlainGrpc() {
    }

    public static Server startServer(UnixSocketAddress address, EventLoopGroup group, BindableService service)
            throws IOException {
        Server server = NettyServerBuilder.forAddress(address)
                .channelType(UnixServerStreamChannel.class).bossEventLoopGroup(group).workerEventLoopGroup(group)
                .addService(service).build().start();
        return server;
    }

    public static ManagedChannel newChannel(UnixSocketAddress address, EventLoopGroup group) {
        ManagedChannel channel = NettyChannelBuilder.forAddress(address)
                .channelType(UnixStreamChannel.class, UnixSocketAddress.class).eventLoopGroup(group)
                .overrideAuthority("localhost").usePlaintext().build();
        return channel;
    }
}
