package io.github.nettyunix.examples.broker;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.netty.bootstrap.AbstractBootstrap;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;

import java.util.function.Predicate;

/** Opens the broker's socket. */
public final class BrokerServer {
    private BrokerServer() {
    }

    /**
     * Opens the socket.
     *
     * @param group the event loops
     * @param type the type of the socket
     * @param address the address of the socket
     * @param allowed the users that may request files
     * @param files the files that they may request
     * @return a future that succeeds when the socket accepts requests
     */
    public static ChannelFuture bind(EventLoopGroup group, SocketType type, UnixSocketAddress address,
                                     Predicate<UnixCredentials> allowed, GrantedFiles files) {
        ChannelHandler handler = new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                Framing.addIfNeeded(channel);
                channel.pipeline().addLast(new BrokerHandler(allowed, files));
            }
        };
        AbstractBootstrap<?, ?> bootstrap = switch (type) {
            case STREAM -> new ServerBootstrap().channel(UnixServerStreamChannel.class).childHandler(handler);
            case SEQPACKET -> new ServerBootstrap().channel(UnixServerSeqpacketChannel.class).childHandler(handler);
            case DATAGRAM -> new Bootstrap().channel(UnixDatagramChannel.class).handler(handler);
        };
        return bootstrap.group(group)
                // Everybody may connect, because the handler decides.
                .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().withMode("rw-rw-rw-"))
                // Messages carry their sender's credentials, and cannot bring descriptors.
                .option(UnixSocketOption.SO_PASSCRED, true)
                .bind(address);
    }
}
