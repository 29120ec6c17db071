package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Operation;
import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.SocketKind;
import io.github.nettyunix.benchmarks.Workload;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SelectStrategy;
import io.netty.channel.SelectStrategyFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A system whose sides are Netty channels: all of these have the same pipelines. */
abstract class NettyContestant extends JavaContestant {
    private static final SelectStrategyFactory SPINNING = () -> (supplier, hasTasks) -> SelectStrategy.BUSY_WAIT;
    private static final int BACKLOG = 4096;
    private static final int CONNECT_TRIES = 10_000;
    /** Messages of a stream that are this large are counted as they come, and not put together, which would be a copy. */
    private static final int LARGE = 16 * 1024;
    /** Payloads this large are written one at a time. */
    private static final int HUGE = 1 << 20;

    NettyContestant(String id, String title) {
        super(id, title);
    }

    /** @param spin whether the loop polls all the time; only asked for where {@link #canSpin} */
    abstract IoHandlerFactory newIoHandlerFactory(boolean spin);

    static IoHandlerFactory newEpollFactory(boolean spin) {
        return spin ? EpollIoHandler.newFactory(0, SPINNING) : EpollIoHandler.newFactory();
    }

    abstract Class<? extends ServerChannel> serverClass(SocketKind kind);

    /** @return {@code null} if there is none */
    abstract Class<? extends Channel> channelClass(SocketKind kind);

    boolean canSpin() {
        return true;
    }

    boolean canPassDescriptors(int perMessage) {
        return false;
    }

    /** Whether descriptors and bytes go together. */
    boolean canShareMemory() {
        return false;
    }

    /** Whether it writes a {@code FileRegion}. */
    boolean canSendFiles() {
        return true;
    }

    SocketAddress address(Path path) {
        return new DomainSocketAddress(path.toString());
    }

    /** Where to connect to. */
    SocketAddress serverAddress(Settings settings) throws IOException {
        return address(settings.server());
    }

    /** Where to listen. */
    SocketAddress listenAddress(Settings settings) {
        return address(settings.server());
    }

    /** The server listens. */
    void listening(Settings settings, Channel channel) throws IOException {
    }

    @Override
    public boolean supports(Workload workload) {
        return channelClass(workload.kind()) != null && (!workload.spin() || canSpin())
                && (workload.operation() != Operation.DESCRIPTORS || canPassDescriptors(workload.count()))
                && (workload.operation() != Operation.SHARED || canShareMemory())
                && (workload.operation() != Operation.FILE || canSendFiles());
    }

    @Override
    Server newServer(Settings settings, Tally tally) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, newIoHandlerFactory(settings.spin()));
        if (settings.kind() == SocketKind.DATAGRAM) {
            Channel channel = newBootstrap(group, settings).handler(receivers(settings, tally))
                    .bind(address(settings.server())).sync().channel();
            boolean[] connected = new boolean[1];
            return new Server() {
                @Override
                public void beforeRound() throws Exception {
                    if (!connected[0]) {
                        connected[0] = true;
                        channel.connect(address(settings.client())).sync();
                    }
                }
            };
        }
        ServerBootstrap bootstrap = new ServerBootstrap().group(group).channel(serverClass(settings.kind()))
                .option(ChannelOption.SO_BACKLOG, BACKLOG).childHandler(receivers(settings, tally));
        configureServer(bootstrap, settings);
        listening(settings, bootstrap.bind(listenAddress(settings)).sync().channel());
        return new Server() { };
    }

    /** How many datagrams a turn of the event loop reads; a fixed allocator would make it one. */
    int messagesPerRead() {
        return 16;
    }

    void configureServer(ServerBootstrap bootstrap, Settings settings) {
    }

    void configureClient(Bootstrap bootstrap, Settings settings) {
    }

    /** What a message with descriptors is received by. */
    ChannelHandler newDescriptorReceiver(Settings settings, Tally tally) {
        throw new UnsupportedOperationException();
    }

    NettyClient newDescriptorSender(Settings settings) throws IOException {
        throw new UnsupportedOperationException();
    }

    private ChannelHandler receivers(Settings settings, Tally tally) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                switch (settings.operation()) {
                    case ONE_WAY -> {
                        if (settings.kind() != SocketKind.STREAM) {
                            channel.pipeline().addLast(new OneWay.Receiver(tally));
                        } else if (settings.size() >= LARGE) {
                            channel.pipeline().addLast(new OneWay.StreamReceiver(settings.size(), tally));
                        } else {
                            channel.pipeline().addLast(new LengthFieldBasedFrameDecoder(settings.size(), 0, Integer.BYTES),
                                    new OneWay.Receiver(tally));
                        }
                    }
                    case ECHO -> channel.pipeline().addLast(new Echo.ServerHandler());
                    case CONNECT -> channel.pipeline().addLast(new Connections.ServerHandler(tally));
                    case DESCRIPTORS -> channel.pipeline().addLast(newDescriptorReceiver(settings, tally));
                    case FILE -> channel.pipeline().addLast(new OneWay.StreamReceiver(settings.size(), tally));
                    case SHARED -> channel.pipeline().addLast(new SharedMemory.Receiver(settings.size(), tally));
                    default -> throw new AssertionError();
                }
            }
        };
    }

    @Override
    Client newClient(Settings settings) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, newIoHandlerFactory(settings.spin()));
        Bootstrap bootstrap = newBootstrap(group, settings);
        NettyClient client = switch (settings.operation()) {
            case ONE_WAY -> settings.size() >= HUGE ? new OneWay.PayloadSender(settings) : new OneWay.Sender(settings);
            case ECHO -> new Echo.EchoClient(settings);
            case CONNECT -> new Connections.ConnectClient(bootstrap, serverAddress(settings));
            case DESCRIPTORS -> newDescriptorSender(settings);
            case FILE -> new OneWay.FileSender(settings);
            case SHARED -> new SharedMemory.Sender(settings.size());
        };
        bootstrap.handler(new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(client.newHandler());
            }
        });
        configureClient(bootstrap, settings);
        if (settings.size() >= LARGE) {
            bootstrap.option(ChannelOption.WRITE_BUFFER_WATER_MARK,
                    new WriteBufferWaterMark(4 * settings.size(), 16 * settings.size()));
        }
        List<Channel> channels = new ArrayList<>();
        if (settings.operation() != Operation.CONNECT) {
            int count = settings.operation() == Operation.ECHO ? settings.count() : 1;
            for (int i = 0; i < count; i++) {
                channels.add(connect(bootstrap, settings));
            }
        }
        client.setUp(group.next(), channels);
        return client;
    }

    /** Connects; Netty's own channels cannot wait until the server has accepted others, so this does. */
    private Channel connect(Bootstrap bootstrap, Settings settings) throws Exception {
        for (int tries = 0;; tries++) {
            ChannelFuture future = settings.kind() == SocketKind.DATAGRAM
                    ? bootstrap.connect(serverAddress(settings), address(settings.client()))
                    : bootstrap.connect(serverAddress(settings));
            if (future.await().isSuccess()) {
                return future.channel();
            }
            if (tries == CONNECT_TRIES) {
                throw new IOException(future.cause());
            }
            Thread.sleep(1);
        }
    }

    private Bootstrap newBootstrap(EventLoopGroup group, Settings settings) {
        Bootstrap bootstrap = new Bootstrap().group(group).channel(channelClass(settings.kind()));
        if (settings.kind() == SocketKind.DATAGRAM) {
            bootstrap.option(ChannelOption.RECVBUF_ALLOCATOR,
                    new FixedRecvByteBufAllocator(settings.size()).maxMessagesPerRead(messagesPerRead()));
        }
        return bootstrap;
    }

    /** A message: only its header is written, the rest is whatever is there. */
    static ByteBuf newMessage(Channel channel, int size, long number) {
        ByteBuf message = channel.alloc().directBuffer(size, size);
        message.setInt(0, size - Integer.BYTES).setLong(Integer.BYTES, number).writerIndex(size);
        return message;
    }
}
