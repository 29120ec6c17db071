package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.SocketKind;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/** TCP on the loopback interface, on Netty's epoll channels: what Unix domain sockets replace. */
final class NettyTcpContestant extends NettyContestant {
    NettyTcpContestant() {
        super("netty-tcp", "Netty TCP loopback");
    }

    @Override
    IoHandlerFactory newIoHandlerFactory(boolean spin) {
        return newEpollFactory(spin);
    }

    @Override
    Class<? extends ServerChannel> serverClass(SocketKind kind) {
        return EpollServerSocketChannel.class;
    }

    @Override
    Class<? extends Channel> channelClass(SocketKind kind) {
        return kind == SocketKind.STREAM ? EpollSocketChannel.class : null;
    }

    @Override
    SocketAddress listenAddress(Settings settings) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    @Override
    void listening(Settings settings, Channel channel) throws IOException {
        Files.writeString(port(settings), Integer.toString(((InetSocketAddress) channel.localAddress()).getPort()));
    }

    @Override
    SocketAddress serverAddress(Settings settings) throws IOException {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(Files.readString(port(settings))));
    }

    private static Path port(Settings settings) {
        return settings.folder().resolve("port");
    }

    @Override
    void configureServer(ServerBootstrap bootstrap, Settings settings) {
        bootstrap.childOption(ChannelOption.TCP_NODELAY, true);
    }

    @Override
    void configureClient(Bootstrap bootstrap, Settings settings) {
        bootstrap.option(ChannelOption.TCP_NODELAY, true);
    }
}
