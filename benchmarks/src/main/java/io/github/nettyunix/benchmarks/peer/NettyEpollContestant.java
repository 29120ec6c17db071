package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Operation;
import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.SocketKind;
import io.github.nettyunix.benchmarks.Workload;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannelOption;

import java.io.IOException;
import java.util.List;

/**
 * Netty's own domain channels on epoll. They pass descriptors one at a time with a dummy byte; the channel breaks when the
 * kernel has no room for one, so the receiver acknowledges them and the sender has a limited number under way.
 */
final class NettyEpollContestant extends NettyContestant {
    private static final int WINDOW = 192;
    private static final int ACKNOWLEDGED = 64;

    private final boolean pooled;

    /** @param pooled whether to use the pooled allocator, which is better than Netty's default one with large buffers */
    NettyEpollContestant(boolean pooled) {
        super(pooled ? "netty-epoll-pooled" : "netty-epoll", pooled ? "Netty epoll, pooled" : "Netty epoll");
        this.pooled = pooled;
    }

    @Override
    public boolean supports(Workload workload) {
        return super.supports(workload) && (!pooled || isPoolOfUse(workload));
    }

    @Override
    List<String> options() {
        return pooled ? POOLED : List.of();
    }

    @Override
    IoHandlerFactory newIoHandlerFactory(boolean spin) {
        return spin ? EpollIoHandler.newFactory(0, SPINNING) : EpollIoHandler.newFactory();
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
                    context.writeAndFlush(context.alloc().directBuffer(1).writeByte(1), context.voidPromise());
                }
            }
        };
    }

    @Override
    NettyClient newDescriptorSender(Settings settings) throws IOException {
        FileDescriptor passed = FileDescriptor.from("/dev/null");
        return new NettyClient() {
            private Channel channel;
            private long sent;
            private int credit;

            @Override
            ChannelHandler newHandler() {
                return new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext context, Object message) {
                        ByteBuf buffer = (ByteBuf) message;
                        credit += ACKNOWLEDGED * buffer.readableBytes();
                        buffer.release();
                        send();
                    }
                };
            }

            @Override
            void start(List<Channel> channels) {
                channel = channels.get(0);
                sent = 0;
                credit = WINDOW;
                send();
            }

            private void send() {
                if (!isOver(System.nanoTime())) {
                    while (credit >= ACKNOWLEDGED) {
                        for (int i = 0; i < ACKNOWLEDGED; i++) {
                            channel.write(passed, channel.voidPromise());
                        }
                        sent += ACKNOWLEDGED;
                        credit -= ACKNOWLEDGED;
                        channel.flush();
                    }
                } else if (credit == WINDOW) {
                    done(sent, 0, null);
                }
            }
        };
    }
}
