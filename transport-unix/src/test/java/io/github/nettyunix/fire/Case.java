package io.github.nettyunix.fire;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.util.AttributeKey;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** One scenario, run. */
final class Case {
    private static final long DEADLINE_SECONDS = 10;
    private static final AttributeKey<Integer> NUMBER = AttributeKey.valueOf(Case.class, "number");

    final Scenario scenario;
    final byte[] block;
    private final Path folder;
    private final ScheduledExecutorService timer;
    private final SplittableRandom random;
    private final List<EventLoopGroup> loops;
    private final Queue<String> problems = new ConcurrentLinkedQueue<>();
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicInteger pending = new AtomicInteger();
    /** By the order in which they were accepted; of datagrams by sender. */
    private final List<Observed> observed = new ArrayList<>();
    private final List<Channel> channels = new ArrayList<>();
    private final long[] closed;
    private final Statistics statistics;

    /** @param loops the first group is the one to start on, any can be moved to */
    Case(Scenario scenario, Path folder, byte[] block, ScheduledExecutorService timer, List<EventLoopGroup> loops,
            Statistics statistics) {
        this.statistics = statistics;
        this.scenario = scenario;
        this.folder = folder;
        this.block = block;
        this.timer = timer;
        this.loops = loops;
        random = new SplittableRandom(scenario.seed + 1);
        closed = new long[scenario.connections];
        for (int i = 0; i < scenario.connections; i++) {
            observed.add(new Observed());
        }
    }

    void problem(String what) {
        problems.add(what);
    }

    synchronized int random(int bound) {
        return random.nextInt(bound);
    }

    /** Does something on another thread. */
    void later(int micros, Runnable task) {
        pending.incrementAndGet();
        timer.schedule(() -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                problem("on another thread: " + e);
            } finally {
                pending.decrementAndGet();
            }
        }, micros, TimeUnit.MICROSECONDS);
    }

    /** Something has begun that may bring another channel. */
    void begin() {
        pending.incrementAndGet();
    }

    void end() {
        pending.decrementAndGet();
    }

    /** Makes a channel of a socket that another channel has handed over. */
    void adopt(UnixFileDescriptor fd, Observed seen) {
        Channel channel = UnixTransport.adopt(fd);
        configure(channel.config()::setOption);
        int number = observed.indexOf(seen);
        channel.pipeline().addLast(new Receiver(this, random(1000), loops, sender -> seen));
        channel.attr(NUMBER).set(number + 1000);
        accepted(channel, number);
        loops.get(random(loops.size())).register(channel);
    }

    private void accepted(Channel channel, int number) {
        channel.closeFuture().addListener(future -> closed[number] = System.nanoTime());
        synchronized (channels) {
            channels.add(channel);
        }
    }

    /** Runs it, and returns the first thing that went wrong, or null. */
    String run(HostilePeer peer, LoopTimes times) throws Exception {
        Files.createDirectories(folder);
        Channel server = scenario.type == SocketType.DATAGRAM ? bindDatagram() : bindServer();
        try {
            if (scenario.idles && !scenario.spinning) {
                times.start();
            }
            String done = peer.run(folder, scenario);
            if (scenario.idles && !scenario.spinning) {
                double share = times.stop();
                if (share > 0.05 && done.equals("done 0")) {
                    problem(String.format("a loop is never idle: it uses at least %.0f %% of a processor",
                            share * 100));
                }
            }
            PeerLog log = new PeerLog(folder.resolve("log"), scenario);
            if (done.equals("done 1")) {
                problem("the peer has given up: " + log.error);
            }
            check(server, log);
            statistics.add();
        } finally {
            server.close().sync();
            List<Channel> left;
            synchronized (channels) {
                left = List.copyOf(channels);
            }
            for (Channel channel : left) {
                channel.close().sync();
            }
            await("timers", () -> pending.get() == 0);
            deleteFolder();
        }
        return problems.peek();
    }

    private void check(Channel server, PeerLog log) throws Exception {
        if (scenario.type == SocketType.DATAGRAM) {
            await("datagrams", () -> oracles(log).stream().allMatch(this::isComplete));
            await("timers", () -> pending.get() == 0);
            server.close().sync();
        } else {
            await("connections to be accepted", () -> accepted.get() == log.opened.size());
            await("connections to close", () -> {
                synchronized (channels) {
                    return pending.get() == 0 && channels.stream().noneMatch(Channel::isOpen);
                }
            });
        }
        await("timers", () -> pending.get() == 0);
        // What the loops had still to do for the channels.
        for (EventLoopGroup group : loops) {
            for (var loop : group) {
                loop.submit(() -> { }).sync();
            }
        }
        List<Oracle> oracles = oracles(log);
        for (int i = 0; i < oracles.size(); i++) {
            try {
                oracles.get(i).check(closed[i]);
                oracles.get(i).count(statistics);
            } catch (Oracle.Violation e) {
                problem("connection " + i + ": " + e.getMessage());
            }
        }
    }

    private List<Oracle> oracles(PeerLog log) {
        List<Oracle> oracles = new ArrayList<>();
        for (int i = 0; i < log.opened.size(); i++) {
            int connection = log.opened.get(i);
            Observed seen = observed.get(scenario.type == SocketType.DATAGRAM ? connection : i);
            oracles.add(new Oracle(scenario, block, log, connection, seen));
        }
        return oracles;
    }

    private boolean isComplete(Oracle oracle) {
        try {
            return oracle.isComplete();
        } catch (Oracle.Violation e) {
            // Nothing that arrives can mend it.
            return true;
        }
    }

    /** The channels that are still open, and how they are. */
    private String open() {
        StringBuilder open = new StringBuilder();
        synchronized (channels) {
            for (Channel channel : channels) {
                if (channel.isOpen()) {
                    DuplexChannel connection = (DuplexChannel) channel;
                    open.append(channel.attr(NUMBER)).append(channel.isRegistered() ? "" : " not registered")
                            .append(channel.isActive() ? "" : " not active")
                            .append(connection.isInputShutdown() ? " input shut down" : "")
                            .append(connection.isOutputShutdown() ? " output shut down" : "")
                            .append(channel.config().isAutoRead() ? " reading" : "").append("; ");
                }
            }
        }
        return open.toString();
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                problem("waited in vain for " + what + ", pending: " + pending + ", open: " + open());
                return;
            }
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    private Channel bindServer() throws InterruptedException {
        AtomicInteger count = new AtomicInteger();
        ServerBootstrap bootstrap = new ServerBootstrap().group(loops.get(0))
                .channel(scenario.type == SocketType.STREAM ? UnixServerStreamChannel.class
                        : UnixServerSeqpacketChannel.class)
                .handler(new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        int number = count.getAndIncrement();
                        Channel channel = (Channel) message;
                        channel.attr(NUMBER).set(number);
                        accepted(channel, number);
                        accepted.incrementAndGet();
                        ctx.fireChannelRead(message);
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                        if (!(cause instanceof UnixSocketError e && e.error() == UnixErrno.EMFILE)) {
                            problem("server: " + cause);
                        }
                    }
                })
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        int number = channel.attr(NUMBER).get();
                        channel.pipeline().addLast(
                                new Receiver(Case.this, number, loops, sender -> observed.get(number)));
                    }
                });
        configure(bootstrap::childOption);
        switch (scenario.credentials) {
            case NEVER -> { }
            case ON_SERVER -> bootstrap.option(UnixSocketOption.SO_PASSCRED, true);
            case ON_CHANNEL -> bootstrap.childOption(UnixSocketOption.SO_PASSCRED, true);
        }
        if (scenario.pidFd) {
            bootstrap.option(UnixSocketOption.SO_PASSPIDFD, true);
        }
        return bootstrap.bind(address()).sync().channel();
    }

    private Channel bindDatagram() throws InterruptedException {
        Bootstrap bootstrap = new Bootstrap().group(loops.get(0)).channel(UnixDatagramChannel.class)
                .handler(new Receiver(this, 0, loops, this::bySender));
        configure(bootstrap::option);
        if (scenario.credentials != Scenario.Credentials.NEVER) {
            bootstrap.option(UnixSocketOption.SO_PASSCRED, true);
        }
        if (scenario.pidFd) {
            bootstrap.option(UnixSocketOption.SO_PASSPIDFD, true);
        }
        return bootstrap.bind(address()).sync().channel();
    }

    private Observed bySender(UnixSocketAddress sender) {
        String path = sender == null ? "" : sender.path();
        if (!path.startsWith(folder + "/")) {
            problem("something from " + sender);
            return new Observed();
        }
        return observed.get(Integer.parseInt(path.substring(folder.toString().length() + 1)));
    }

    private interface Options {
        <T> Object set(ChannelOption<T> option, T value);
    }

    /** The options of a channel that are not inherited from a server. */
    private void configure(Options options) {
        if (scenario.sendBuffer != 0) {
            options.set(ChannelOption.SO_SNDBUF, scenario.sendBuffer);
        }
        options.set(ChannelOption.AUTO_READ, scenario.autoRead);
        if (scenario.readBuffer > 0) {
            options.set(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(scenario.readBuffer)
                    .maxMessagesPerRead(Math.max(scenario.messagesPerRead, 1)));
        } else if (scenario.messagesPerRead > 0) {
            options.set(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator()
                    .maxMessagesPerRead(scenario.messagesPerRead));
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
        if (scenario.maxDescriptors != 253) {
            options.set(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, scenario.maxDescriptors);
        }
        if (scenario.exact) {
            options.set(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        }
        if (scenario.plainDescriptors) {
            options.set(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS);
        }
    }

    private UnixSocketAddress address() {
        return UnixSocketAddress.of(folder.resolve("socket"));
    }

    private void deleteFolder() throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
