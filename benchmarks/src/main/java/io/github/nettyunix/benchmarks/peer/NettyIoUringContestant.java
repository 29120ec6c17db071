package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.SocketKind;
import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;

/** Netty's own domain channels on io_uring. */
final class NettyIoUringContestant extends NettyContestant {
    /** The default overflows with 4 096 connections. */
    private static final int COMPLETIONS = 32 * 1024;

    NettyIoUringContestant() {
        super("netty-io_uring", "Netty io_uring");
    }

    @Override
    public String unavailable() {
        return IoUring.isAvailable() ? null : String.valueOf(IoUring.unavailabilityCause());
    }

    @Override
    IoHandlerFactory newIoHandlerFactory(boolean spin) {
        return IoUringIoHandler.newFactory(new IoUringIoHandlerConfig().setCqSize(COMPLETIONS));
    }

    @Override
    boolean canSpin() {
        return false;
    }

    @Override
    Class<? extends ServerChannel> serverClass(SocketKind kind) {
        return IoUringServerDomainSocketChannel.class;
    }

    @Override
    Class<? extends Channel> channelClass(SocketKind kind) {
        return kind == SocketKind.STREAM ? IoUringDomainSocketChannel.class : null;
    }
}
