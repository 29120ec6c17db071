package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Operation;
import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.SocketKind;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannelOption;

import java.io.IOException;

/**
 * Netty's own domain channels on epoll. They pass descriptors one at a time with a dummy byte; the channel breaks when the
 * kernel has no room for one, so the receiver acknowledges them and the sender has a limited number under way.
 */
final class NettyEpollContestant extends NettyContestant {
    private static final int WINDOW = 192;
    private static final int ACKNOWLEDGED = 64;

    NettyEpollContestant() {
        super("netty-epoll", "Netty epoll");
    }

    @Override
    IoHandlerFactory newIoHandlerFactory(boolean spin) {
        return newEpollFactory(spin);
    }

    @Override
    Class<? extends ServerChannel> serverClass(SocketKind kind) {
        return EpollServerDomainSocketChannel.class;
    }

    @Override
    Class<? extends Channel> channelClass(SocketKind kind) {
        return switch (kind) {
            case STREAM -> EpollDomainSocketChannel.class;
            case SEQPACKET -> null;
            case DATAGRAM -> EpollDomainDatagramChannel.class;
        };
    }

    @Override
    boolean canPassDescriptors(int perMessage) {
        return perMessage == 1;
    }

    @Override
    void configureServer(ServerBootstrap bootstrap, Settings settings) {
        if (settings.operation() == Operation.DESCRIPTORS) {
            bootstrap.childOption(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS);
        }
    }

    @Override
    ChannelHandler newDescriptorReceiver(Settings settings, Tally tally) {
        return new ChannelInboundHandlerAdapter() {
            private int unacknowledged;

            @Override
            public void channelRead(ChannelHandlerContext context, Object message) throws IOException {
                ((FileDescriptor) message).close();
                tally.one();
                if (++unacknowledged == ACKNOWLEDGED) {
                    unacknowledged = 0;
                    WindowedClient.acknowledge(context);
                }
            }
        };
    }

    @Override
    NettyClient newDescriptorSender(Settings settings) throws IOException {
        FileDescriptor passed = FileDescriptor.from("/dev/null");
        return new WindowedClient(WINDOW, ACKNOWLEDGED) {
            @Override
            void write(Channel channel, long number) {
                channel.write(passed, channel.voidPromise());
            }
        };
    }
}
