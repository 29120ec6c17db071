package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.SocketKind;
import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;

import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

/** Netty's domain channels on the JDK's selector. */
final class NettyNioContestant extends NettyContestant {
    NettyNioContestant() {
        super("netty-nio", "Netty NIO");
    }

    @Override
    IoHandlerFactory newIoHandlerFactory(boolean spin) {
        return NioIoHandler.newFactory();
    }

    @Override
    boolean canSpin() {
        return false;
    }

    @Override
    SocketAddress address(Path path) {
        return UnixDomainSocketAddress.of(path);
    }

    @Override
    Class<? extends ServerChannel> serverClass(SocketKind kind) {
        return NioServerDomainSocketChannel.class;
    }

    @Override
    Class<? extends Channel> channelClass(SocketKind kind) {
        return kind == SocketKind.STREAM ? NioDomainSocketChannel.class : null;
    }
}
