package io.github.nettyunix.examples.demo;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.netty.bootstrap.AbstractBootstrap;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;

import java.util.List;
import java.util.concurrent.TimeUnit;

/** One socket of each type that hands out the files, all on one event loop. */
final class Broker implements AutoCloseable {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
    private final List<UnixFileDescriptor> files;
    private final long clientPid;

    Broker(List<UnixFileDescriptor> files, long clientPid) {
        this.files = files;
        this.clientPid = clientPid;
    }

    void listen(SocketType type, UnixSocketAddress address) throws InterruptedException {
        AbstractBootstrap<?, ?> bootstrap = switch (type) {
            case STREAM -> server(type).channel(UnixServerStreamChannel.class);
            case SEQPACKET -> server(type).channel(UnixServerSeqpacketChannel.class);
            case DATAGRAM -> new Bootstrap().channel(UnixDatagramChannel.class).handler(handler(type));
        };
        bootstrap.group(group)
                // The client may be another user.
                .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().withMode("rw-rw-rw-"))
                // Messages tell who sent them, and cannot bring descriptors.
                .option(UnixSocketOption.SO_PASSCRED, true)
                .bind(address).sync();
    }

    private ServerBootstrap server(SocketType type) {
        return new ServerBootstrap().childHandler(new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                Framing.addIfNeeded(channel);
                channel.pipeline().addLast(handler(type));
            }
        });
    }

    private BrokerHandler handler(SocketType type) {
        return new BrokerHandler(type, files, clientPid);
    }

    @Override
    public void close() throws InterruptedException {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }
}
