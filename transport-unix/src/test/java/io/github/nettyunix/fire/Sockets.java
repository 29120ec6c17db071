package io.github.nettyunix.fire;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.handler.FileDescriptorLimitHandler;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.github.nettyunix.handler.FileDescriptorTypeHandler;
import io.github.nettyunix.handler.PeerAuthorizationHandler;
import io.github.nettyunix.handler.UnixMessageContentHandler;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.util.AttributeKey;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/** The channels of a case, with their options and handlers: they accept, connect, or are bound to receive datagrams. */
final class Sockets {
    static final AttributeKey<Integer> NUMBER = AttributeKey.valueOf(Sockets.class, "number");

    private static final int RETRY_MICROS = 1_000;

    private final Case owner;
    private final Scenario scenario;
    private final Path folder;
    private final List<EventLoopGroup> loops;
    private final List<Channel> bound = new ArrayList<>();
    private ServerSocketChannel live;

    Sockets(Case owner, Path folder, List<EventLoopGroup> loops) {
        this.owner = owner;
        scenario = owner.scenario;
        this.folder = folder;
        this.loops = loops;
    }

    /** Whatever the peer connects to, unless it is connected to. */
    void open() throws Exception {
        if (scenario.type == SocketType.DATAGRAM) {
            for (int i = 0; i < scenario.receivers; i++) {
                bound.add(bindDatagram(i));
            }
        } else if (!scenario.connects) {
            for (int i = 0; i < scenario.receivers; i++) {
                bound.add(bindServer(i));
            }
        }
        if (scenario.connects) {
            connectNext(0);
        }
    }

    List<Channel> bound() {
        return bound;
    }

    void close() throws InterruptedException, IOException {
        for (Channel channel : bound) {
            channel.close().sync();
        }
        if (live != null) {
            live.close();
        }
        for (int i = 0; i < bound.size(); i++) {
            boolean exists = Files.exists(path(i));
            if (exists != scenario.socketFile.isKeptOnClose()) {
                owner.problem(scenario.socketFile + ": after it is closed, the file exists: " + exists);
            }
        }
    }

    private Path path(int receiver) {
        return folder.resolve("socket" + receiver);
    }

    /** Binds; the path may be taken. */
    private Channel bind(Bootstrap datagram, ServerBootstrap server, int receiver) throws Exception {
        SocketFilePolicy policy = scenario.socketFile;
        if (policy.existing() != SocketFilePolicy.Existing.FAIL && owner.random(2) == 0) {
            ServerSocketChannel before = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            before.bind(UnixDomainSocketAddress.of(path(receiver)));
            if (policy.existing() == SocketFilePolicy.Existing.REPLACE_STALE || live != null || owner.random(2) == 0) {
                before.close();
            } else {
                live = before;
            }
        }
        UnixSocketAddress address = UnixSocketAddress.of(path(receiver));
        Channel channel = datagram != null ? datagram.option(UnixSocketOption.SOCKET_FILE, policy).bind(address).sync()
                .channel() : server.option(UnixSocketOption.SOCKET_FILE, policy).bind(address).sync().channel();
        if (policy.mode().isPresent()) {
            int mode = (int) Files.getAttribute(path(receiver), "unix:mode") & 0777;
            if (mode != policy.mode().getAsInt()) {
                owner.problem(policy + ": the mode is "
                        + PosixFilePermissions.toString(Files.getPosixFilePermissions(path(receiver))));
            }
        }
        return channel;
    }

    private Channel bindServer(int receiver) throws Exception {
        ServerBootstrap bootstrap = new ServerBootstrap().group(loops.get(0))
                .channel(scenario.type == SocketType.STREAM ? UnixServerStreamChannel.class
                        : UnixServerSeqpacketChannel.class)
                .handler(new Server(receiver))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        addHandlers(channel, channel.attr(NUMBER).get());
                    }
                });
        configure(bootstrap::childOption);
        configureSocket(bootstrap::option, scenario.credentials == Scenario.Credentials.ON_SERVER);
        if (scenario.credentials == Scenario.Credentials.ON_CHANNEL) {
            bootstrap.childOption(UnixSocketOption.SO_PASSCRED, true);
        }
        if (owner.random(3) == 0) {
            bootstrap.option(ChannelOption.SO_BACKLOG, owner.random(3));
        }
        return bind(null, bootstrap, receiver);
    }

    /** Numbers the connections, and does random things to their server. */
    private final class Server extends ChannelInboundHandlerAdapter {
        private final int receiver;
        private int count;

        Server(int receiver) {
            this.receiver = receiver;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            // The connections of this receiver are those whose numbers leave the same rest.
            int number = owner.numberOf(receiver, count++);
            Channel channel = (Channel) message;
            channel.attr(NUMBER).set(number);
            owner.accepted(channel, number);
            if (scenario.chaos > 0 && owner.random(10) == 0) {
                Channel server = ctx.channel();
                server.config().setAutoRead(false);
                owner.later(owner.random(5_000), () -> server.config().setAutoRead(true));
            }
            ctx.fireChannelRead(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (!(cause instanceof UnixSocketError e && e.error() == UnixErrno.EMFILE)) {
                owner.problem("server: " + cause);
            }
        }
    }

    private Channel bindDatagram(int receiver) throws Exception {
        Bootstrap bootstrap = new Bootstrap().group(loops.get(0)).channel(UnixDatagramChannel.class)
                .handler(new Receiver(owner, receiver, loops, null, owner::bySender));
        configure(bootstrap::option);
        configureSocket(bootstrap::option, scenario.credentials != Scenario.Credentials.NEVER);
        bootstrap.option(UnixSocketOption.DATAGRAM_QUEUE_FULL, scenario.queueFull);
        bootstrap.option(UnixSocketOption.DATAGRAM_WAIT_MILLIS, scenario.waitMillis);
        return bind(bootstrap, null, receiver);
    }

    /** Connects one after the other, so that the peer accepts them in this order. */
    private void connectNext(int number) {
        if (number == scenario.connections || owner.isOver()) {
            return;
        }
        owner.later(RETRY_MICROS, () -> {
            if (scenario.type == SocketType.DATAGRAM) {
                connectDatagram();
                return;
            }
            Bootstrap bootstrap = new Bootstrap().group(loops.get(0))
                    .channel(scenario.type == SocketType.STREAM ? UnixStreamChannel.class : UnixSeqpacketChannel.class)
                    .handler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            addHandlers(channel, number);
                        }
                    });
            configure(bootstrap::option);
            configureSocket(bootstrap::option, scenario.credentials != Scenario.Credentials.NEVER);
            owner.begin();
            Channel channel = bootstrap.register().channel();
            channel.attr(NUMBER).set(number);
            channel.connect(UnixSocketAddress.of(folder.resolve("socket"))).addListener(connected -> {
                if (connected.isSuccess()) {
                    owner.accepted(channel, number);
                    connectNext(number + 1);
                } else if (connected.cause() instanceof FileNotFoundException) {
                    connectNext(number);
                } else if (!isPeerGone(connected.cause())) {
                    owner.problem("connect: " + connected.cause());
                }
                owner.end();
            });
        });
    }

    private void connectDatagram() {
        Path peer = folder.resolve("0");
        if (!Files.exists(peer)) {
            connectNext(0);
            return;
        }
        owner.begin();
        bound.get(0).connect(UnixSocketAddress.of(peer)).addListener(connected -> {
            if (!connected.isSuccess() && !isPeerGone(connected.cause())) {
                owner.problem("connect: " + connected.cause());
            }
            owner.end();
        });
    }

    private static boolean isPeerGone(Throwable cause) {
        return cause instanceof UnixSocketError e && e.error() == UnixErrno.ECONNREFUSED;
    }

    /** Makes a channel of a socket that another channel has handed over. */
    Channel adopt(UnixFileDescriptor fd, int number) {
        Channel channel = UnixTransport.adopt(fd);
        configure(channel.config()::setOption);
        addHandlers(channel, number);
        channel.attr(NUMBER).set(number + 1000);
        owner.accepted(channel, number);
        loops.get(owner.random(loops.size())).register(channel);
        return channel;
    }

    private void addHandlers(Channel channel, int number) {
        ChannelPipeline pipeline = channel.pipeline();
        FileDescriptorQueueHandler queue = null;
        switch (scenario.guard) {
            case NONE -> { }
            case QUEUE -> {
                queue = new FileDescriptorQueueHandler();
                pipeline.addLast(queue);
            }
            case LIMIT -> pipeline.addLast(new FileDescriptorLimitHandler(scenario.limit));
            case TYPE -> pipeline.addLast(new FileDescriptorTypeHandler(
                    Scenario.ADMITTED_TYPES.toArray(UnixFileDescriptor.Type[]::new)));
            case CONTENT -> pipeline.addLast(new UnixMessageContentHandler());
            case REFUSES_PEER -> pipeline.addLast(new PeerAuthorizationHandler(peer -> false));
            case ADMITS_PEER -> pipeline.addLast(new PeerAuthorizationHandler(PeerAuthorizationHandler.sameUser()));
        }
        Observed seen = owner.observed(number);
        pipeline.addLast(new Receiver(owner, number, loops, queue, sender -> seen));
    }

    private interface Options {
        <T> Object set(ChannelOption<T> option, T value);
    }

    /** The options that accepted sockets inherit from their server. */
    private void configureSocket(Options options, boolean credentials) {
        if (credentials) {
            options.set(UnixSocketOption.SO_PASSCRED, true);
        }
        if (scenario.pidFd) {
            options.set(UnixSocketOption.SO_PASSPIDFD, true);
        }
        if (!scenario.passRights) {
            options.set(UnixSocketOption.SO_PASSRIGHTS, false);
        }
    }

    /** The others. */
    private void configure(Options options) {
        if (scenario.sendBuffer != 0) {
            options.set(ChannelOption.SO_SNDBUF, scenario.sendBuffer);
        }
        options.set(ChannelOption.AUTO_READ, scenario.autoRead);
        options.set(ChannelOption.AUTO_CLOSE, scenario.autoClose);
        if (scenario.readBuffer > 0) {
            options.set(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(scenario.readBuffer)
                    .maxMessagesPerRead(Math.max(scenario.messagesPerRead, 1)));
        } else if (scenario.messagesPerRead > 0) {
            options.set(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator()
                    .maxMessagesPerRead(scenario.messagesPerRead));
        }
        if (scenario.writeSpinCount > 0) {
            options.set(ChannelOption.WRITE_SPIN_COUNT, scenario.writeSpinCount);
        }
        if (scenario.heapBuffers) {
            options.set(ChannelOption.ALLOCATOR, UnpooledByteBufAllocator.DEFAULT);
        }
        if (scenario.smallWaterMark) {
            options.set(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(100, 1_000));
        }
        if (scenario.type != SocketType.DATAGRAM) {
            options.set(ChannelOption.ALLOW_HALF_CLOSURE, scenario.halfClosure);
        }
        if (scenario.type != SocketType.STREAM) {
            options.set(UnixSocketOption.MAX_MESSAGE_SIZE, scenario.maxSize);
        }
        if (scenario.controlData) {
            options.set(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        }
        if (scenario.maxDescriptors != Scenario.MAX_DESCRIPTORS) {
            options.set(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, scenario.maxDescriptors);
        }
        if (scenario.exact) {
            options.set(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        }
        if (scenario.plainDescriptors) {
            options.set(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS);
        }
    }
}
