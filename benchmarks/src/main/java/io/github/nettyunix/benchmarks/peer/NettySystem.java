package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerSharedMemoryChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.benchmarks.Operation;
import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.Type;
import io.github.nettyunix.benchmarks.Waiting;
import io.github.nettyunix.benchmarks.Workload;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
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
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollDomainDatagramChannel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

import static io.github.nettyunix.benchmarks.Type.DATAGRAM;
import static io.github.nettyunix.benchmarks.Type.MEMORY;
import static io.github.nettyunix.benchmarks.Type.SEQPACKET;
import static io.github.nettyunix.benchmarks.Type.STREAM;
import static io.github.nettyunix.benchmarks.Waiting.LOOK;
import static io.github.nettyunix.benchmarks.Waiting.SLEEP;
import static io.github.nettyunix.benchmarks.Waiting.SPIN;

/**
 * A system whose sides are Netty channels. All of them run the same handlers.
 *
 * @param loops create its event loops; without the ways of waiting that it does not support
 * @param channels the classes of its channels; without the types that it does not support
 * @param servers the classes of its server channels
 * @param maxDescriptors the number of descriptors that it can send with a message
 * @param address the address of a socket file
 */
record NettySystem(String id, String title, Role role, Map<Waiting, Supplier<IoHandlerFactory>> loops,
                   Map<Type, Class<? extends Channel>> channels,
                   Map<Type, Class<? extends ServerChannel>> servers, int maxDescriptors,
                   Function<Path, SocketAddress> address) implements JavaSystem {
    static final List<NettySystem> ALL = List.of(
            new NettySystem("unix", "netty-transport-unix", Role.OURS,
                    Map.of(SLEEP, UnixTransport::newIoHandlerFactory, LOOK, NettySystem::newLookingFactory,
                            SPIN, UnixTransport::newSpinningIoHandlerFactory),
                    Map.of(STREAM, UnixStreamChannel.class, SEQPACKET, UnixSeqpacketChannel.class,
                            DATAGRAM, UnixDatagramChannel.class, MEMORY, UnixSharedMemoryChannel.class),
                    Map.of(STREAM, UnixServerStreamChannel.class, SEQPACKET, UnixServerSeqpacketChannel.class,
                            MEMORY, UnixServerSharedMemoryChannel.class),
                    253, NettySystem::domainAddress),
            new NettySystem("netty-epoll", "Netty epoll", Role.JAVA_PEER,
                    Map.of(SLEEP, EpollIoHandler::newFactory, SPIN, NettySystem::newSpinningEpollFactory),
                    Map.of(STREAM, EpollDomainSocketChannel.class, DATAGRAM, EpollDomainDatagramChannel.class),
                    Map.of(STREAM, EpollServerDomainSocketChannel.class),
                    1, NettySystem::domainAddress),
            new NettySystem("netty-io_uring", "Netty io_uring", Role.JAVA_PEER,
                    Map.of(SLEEP, NettySystem::newIoUringFactory),
                    Map.of(STREAM, IoUringDomainSocketChannel.class),
                    Map.of(STREAM, IoUringServerDomainSocketChannel.class),
                    0, NettySystem::domainAddress),
            new NettySystem("netty-nio", "Netty NIO", Role.JAVA_PEER,
                    Map.of(SLEEP, NioIoHandler::newFactory),
                    Map.of(STREAM, NioDomainSocketChannel.class),
                    Map.of(STREAM, NioServerDomainSocketChannel.class),
                    0, UnixDomainSocketAddress::of),
            // What Unix domain sockets replace.
            new NettySystem("netty-tcp", "Netty TCP loopback", Role.JAVA_PEER,
                    Map.of(SLEEP, EpollIoHandler::newFactory, SPIN, NettySystem::newSpinningEpollFactory),
                    Map.of(STREAM, EpollSocketChannel.class),
                    Map.of(STREAM, EpollServerSocketChannel.class),
                    0, NettySystem::loopbackAddress));

    /** With the default completion queue io_uring overflows at 4 096 connections. */
    private static final int IO_URING_COMPLETIONS = 32 * 1024;
    private static final int BACKLOG = 4096;
    private static final int CONNECT_ATTEMPTS = 10_000;
    /** From this size on, messages of a stream are counted as they arrive: assembling them would be a copy. */
    private static final int LARGE = 16 * 1024;
    /** From this size on, messages are written one at a time. */
    private static final int HUGE = 1 << 20;

    private static IoHandlerFactory newLookingFactory() {
        return UnixTransport.newSpinningIoHandlerFactory(Duration.ofNanos(50_000));
    }

    private static IoHandlerFactory newSpinningEpollFactory() {
        return EpollIoHandler.newFactory(0, () -> (supplier, hasTasks) -> SelectStrategy.BUSY_WAIT);
    }

    private static IoHandlerFactory newIoUringFactory() {
        return IoUringIoHandler.newFactory(new IoUringIoHandlerConfig().setCqSize(IO_URING_COMPLETIONS));
    }

    private static SocketAddress domainAddress(Path path) {
        return new DomainSocketAddress(path.toString());
    }

    /** The file contains the server's port, once it has one. */
    private static SocketAddress loopbackAddress(Path file) {
        try {
            int port = Files.exists(file) ? Integer.parseInt(Files.readString(file)) : 0;
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String unavailable() {
        Throwable cause = id.equals("netty-io_uring") ? IoUring.unavailabilityCause() : null;
        return cause == null ? null : cause.toString();
    }

    private boolean isOurs() {
        return role == Role.OURS;
    }

    @Override
    public boolean supports(Workload workload) {
        return channels.containsKey(workload.type()) && loops.containsKey(workload.waiting())
                && switch (workload.operation()) {
                    case DESCRIPTORS -> workload.count() <= maxDescriptors;
                    case SHARED -> isOurs();
                    // A socket takes no record that does not fit into its buffer.
                    case ONE_WAY, IN_PLACE -> workload.type() != SEQPACKET || workload.size() < HUGE;
                    case ECHO, CONNECT, FILE -> true;
                };
    }

    @Override
    public Server newServer(Settings settings, Counters counters) throws Exception {
        ChannelHandler receivers = new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                if (isOneWay(settings) && settings.type() == STREAM && settings.size() < LARGE) {
                    channel.pipeline().addLast(new LengthFieldBasedFrameDecoder(settings.size(), 0, Integer.BYTES));
                }
                channel.pipeline().addLast(newReceiver(settings, counters));
            }
        };
        EventLoopGroup group = newGroup(settings);
        if (settings.type() == DATAGRAM) {
            Channel channel = newBootstrap(group, settings).handler(receivers)
                    .bind(address.apply(settings.server())).sync().channel();
            return () -> channel.connect(address.apply(settings.client())).sync();
        }
        ServerBootstrap bootstrap = new ServerBootstrap().group(group).channel(servers.get(settings.type()))
                .option(ChannelOption.SO_BACKLOG, BACKLOG).childHandler(receivers);
        if (settings.operation() == Operation.DESCRIPTORS || settings.operation() == Operation.SHARED) {
            if (isOurs()) {
                bootstrap.childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
            } else {
                bootstrap.childOption(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS);
            }
        }
        if (settings.type() == MEMORY && settings.size() >= HUGE) {
            bootstrap.childOption(UnixSocketOption.RECORD_PARTS, true)
                    .childOption(UnixSocketOption.ZERO_COPY_READS, true);
        }
        Channel server = bootstrap.bind(address.apply(settings.server())).sync().channel();
        if (server.localAddress() instanceof InetSocketAddress tcp) {
            Files.writeString(settings.server(), Integer.toString(tcp.getPort()));
        }
        return () -> { };
    }

    private static boolean isOneWay(Settings settings) {
        return settings.operation() == Operation.ONE_WAY || settings.operation() == Operation.IN_PLACE;
    }

    private EventLoopGroup newGroup(Settings settings) {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, loops.get(settings.waiting()).get());
        if (Boolean.getBoolean(Scraper.PROPERTY)) {
            Scraper.start(group);
        }
        return group;
    }

    private ChannelHandler newReceiver(Settings settings, Counters counters) {
        return switch (settings.operation()) {
            case ONE_WAY, IN_PLACE, FILE -> settings.size() >= (settings.type() == STREAM ? LARGE : HUGE)
                    ? new Receivers.LargeReceiver(counters, settings.size())
                    : new Receivers.MessageReceiver(counters, 0);
            case ECHO -> new Echo.ServerHandler();
            case CONNECT -> new Connections.ServerHandler(counters);
            case DESCRIPTORS -> isOurs() ? new Receivers.MessageReceiver(counters, settings.count())
                    : new Receivers.PlainDescriptorReceiver(counters);
            case SHARED -> new SharedPayloads.Receiver(counters, settings.size());
        };
    }

    @Override
    public Client newClient(Settings settings) throws Exception {
        int size = settings.size();
        EventLoopGroup group = newGroup(settings);
        Bootstrap bootstrap = newBootstrap(group, settings);
        NettyClient client = switch (settings.operation()) {
            case ONE_WAY -> size >= HUGE ? Senders.newPayloadSender(size) : Senders.newMessageSender(size);
            case IN_PLACE -> Senders.newInPlaceSender(size);
            case ECHO -> new Echo.EchoClient(settings);
            case CONNECT -> new Connections.ConnectClient(bootstrap, address.apply(settings.server()));
            case DESCRIPTORS -> isOurs() ? Senders.newDescriptorSender(settings) : Senders.newPlainDescriptorSender();
            case FILE -> Senders.newFileSender(settings);
            case SHARED -> SharedPayloads.newSender(size);
        };
        bootstrap.handler(new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(client.newHandler());
            }
        });
        if (size >= LARGE) {
            bootstrap.option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(4 * size, 16 * size));
        }
        List<Channel> connections = new ArrayList<>();
        if (settings.operation() != Operation.CONNECT) {
            int count = settings.operation() == Operation.ECHO ? settings.count() : 1;
            for (int i = 0; i < count; i++) {
                connections.add(connect(bootstrap, settings));
            }
        }
        client.setUp(group.next(), connections);
        return client;
    }

    /** Connects. Netty's own channels fail when the backlog is full, so this tries again. */
    private Channel connect(Bootstrap bootstrap, Settings settings) throws Exception {
        SocketAddress server = address.apply(settings.server());
        for (int attempt = 0;; attempt++) {
            ChannelFuture future = settings.type() == DATAGRAM
                    ? bootstrap.connect(server, address.apply(settings.client())) : bootstrap.connect(server);
            if (future.await().isSuccess()) {
                return future.channel();
            }
            if (attempt == CONNECT_ATTEMPTS) {
                throw new IOException(future.cause());
            }
            Thread.sleep(1);
        }
    }

    private Bootstrap newBootstrap(EventLoopGroup group, Settings settings) {
        Bootstrap bootstrap = new Bootstrap().group(group).channel(channels.get(settings.type()));
        if (settings.type() == DATAGRAM) {
            // A fixed allocator reads one datagram per turn unless configured otherwise.
            bootstrap.option(ChannelOption.RECVBUF_ALLOCATOR,
                    new FixedRecvByteBufAllocator(settings.size()).maxMessagesPerRead(isOurs() ? 64 : 16));
        }
        return bootstrap;
    }
}
