package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.CountedCalls;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.FailingCalls;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.Promise;
import io.netty.util.concurrent.PromiseNotifier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A system call that fails, for lack of memory or because of a filter, fails the operation that needed it and nothing
 * else.
 */
@Tag("once")
@Tag("user")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class FailingSystemCallsTest {
    private EventLoopGroup group;
    private EventLoop loop;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        group = Loops.newGroup(1);
        loop = group.next();
    }

    @AfterEach
    void shutDown() throws InterruptedException {
        group.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).sync();
    }

    private UnixSocketAddress address() {
        return UnixSocketAddress.of(folder.resolve("s"));
    }

    private static void assertFailure(Throwable cause, String operation, SocketType type, String errno) {
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, cause);
        assertEquals(operation, error.operation());
        assertEquals(type, error.socketType());
        assertEquals(errno, error.errnoName());
        assertTrue(cause.getMessage().startsWith(operation + ' ' + type), cause.getMessage());
    }

    private void refuseToWatchMore() throws Exception {
        FailingCalls.on(loop, "epoll_ctl", FailingCalls.OPERATION, FailingCalls.EPOLL_CTL_ADD, Errno.ENOSPC);
    }

    @EachType
    void aChannelThatCannotBeWatchedFailsItsRegistrationAndTheOthersOfItsLoopGoOn(SocketType type) throws Exception {
        try (ChannelPair others = ChannelPair.of(type).start(group)) {
            refuseToWatchMore();
            for (Channel channel : Channels.pair(type)) {
                Throwable cause = ChannelPair.failure(group.register(channel));
                assertFailure(cause, "epoll_ctl", type, "ENOSPC");
                assertTrue(cause.getMessage().contains("max_user_watches"), cause.getMessage());
                assertFalse(channel.isOpen());
            }
            others.send("alive").sync();
            assertEquals("alive", others.text());
        }
        Evidence.of("itself", "a " + type + " channel that epoll_ctl refuses is closed and fails its registration");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aConnectThatCannotBeWatchedFails(SocketType type) throws Exception {
        Channel server = Channels.server(type, RecordingHandler::new).bind(address()).sync().channel();
        Channel client = Channels.newClient(type);
        client.pipeline().addLast(new RecordingHandler());
        group.register(client).sync();
        refuseToWatchMore();
        assertFailure(ChannelPair.failure(client.connect(address())), "epoll_ctl", type, "ENOSPC");
        assertFalse(client.isOpen());
        server.close().sync();
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aServerThatCannotBeWatchedFailsToBindAndLeavesNoFile(SocketType type) throws Exception {
        Channel server = Channels.newBindable(type);
        group.register(server).sync();
        refuseToWatchMore();
        assertFailure(ChannelPair.failure(server.bind(address())), "epoll_ctl", type, "ENOSPC");
        assertFalse(server.isOpen() || server.isActive());
        assertFalse(Files.exists(folder.resolve("s")));
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aServerThatCannotListenFailsToBindAndLeavesNoFile(SocketType type) throws Exception {
        Channel server = Channels.newBindable(type);
        group.register(server).sync();
        FailingCalls.on(loop, "listen", Errno.ENOBUFS);
        assertFailure(ChannelPair.failure(server.bind(address())), "listen", type, "ENOBUFS");
        assertFalse(server.isOpen());
        assertFalse(Files.exists(folder.resolve("s")));
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void anAcceptedConnectionThatCannotBeWatchedIsClosed(SocketType type) throws Exception {
        Channel server = new ServerBootstrap().group(Loops.group(), group).channel(Channels.serverClass(type))
                .childHandler(new RecordingHandler()).bind(address()).sync().channel();
        refuseToWatchMore();
        RecordingHandler inbox = new RecordingHandler();
        Channels.client(type, inbox).connect(address()).sync();
        assertSame(RecordingHandler.INACTIVE, inbox.take());
        server.close().sync();
    }

    @EachType
    void aChangeOfWhatIsWatchedThatFailsClosesTheChannel(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start(group)) {
            FailingCalls.on(loop, "epoll_ctl", FailingCalls.OPERATION, FailingCalls.EPOLL_CTL_MOD, Errno.EACCES);
            loop.submit(() -> pair.receiver.config().setAutoRead(false)).sync();
            assertFailure(pair.inbox.take(Throwable.class), "epoll_ctl", type, "EACCES");
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectionsAreAcceptedWhereGetsocknameFails(SocketType type) throws Exception {
        RecordingHandler inbox = new RecordingHandler();
        Channel server = Channels.server(group, type, () -> inbox).bind(address()).sync().channel();
        FailingCalls.on(loop, "getsockname", Errno.ENOBUFS);
        Channel client = Channels.client(type, new RecordingHandler()).connect(address()).sync().channel();
        client.writeAndFlush(ChannelPair.buffer("served")).sync();
        assertEquals("served", ChannelPair.text(inbox.take()));
        client.close().sync();
        assertSame(RecordingHandler.INACTIVE, inbox.take());
        server.close().sync();
    }

    @EachType
    void anAddressThatTheKernelChoosesAndDoesNotReportFailsToBind(SocketType type) throws Exception {
        Channel channel = Channels.newBindable(type);
        group.register(channel).sync();
        FailingCalls.on(loop, "getsockname", Errno.ENOBUFS);
        assertFailure(ChannelPair.failure(channel.bind(UnixSocketAddress.autobind())), "getsockname", type, "ENOBUFS");
        assertFalse(channel.isOpen());
    }

    /** An event would report immediately and repeatedly that the socket is writable. */
    @EachType
    void aLackOfKernelResourcesIsWaitedForByTimeAndNotByAnEvent(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start(group)) {
            for (String call : List.of("sendmmsg", "sendmsg", "sendto")) {
                FailingCalls.on(loop, call, Errno.ETOOMANYREFS);
            }
            CountedCalls watching = CountedCalls.of(loop, "epoll_ctl");
            ChannelFuture write = pair.send("waits");
            ChannelPair.settle(pair.sender);
            assertEquals(0, watching.during(() -> {
                for (int i = 0; i < 100; i++) {
                    pair.sender.flush();
                }
            }));
            assertEquals(0, watching.sofar(), "an event is waited for");
            LoopCpu.assertIdle(loop);
            assertFalse(write.isDone());
        }
    }

    @Test
    void aServerWhoseAcceptFailsForGoodReportsItOnceAndCloses() throws Exception {
        assertAcceptFails(Errno.EINVAL, "EINVAL", true);
    }

    @Test
    void aServerWhoseAcceptFailsForNowStaysOpen() throws Exception {
        assertAcceptFails(Errno.EMFILE, "EMFILE", false);
    }

    private void assertAcceptFails(int errno, String name, boolean closes) throws Exception {
        RecordingHandler inbox = new RecordingHandler();
        Channel server = new ServerBootstrap().group(group).channel(UnixServerStreamChannel.class).handler(inbox)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                    }
                }).bind(address()).sync().channel();
        FailingCalls.on(loop, "accept4", errno);
        try (RawSocket client = RawSocket.of(SocketType.STREAM)) {
            assertEquals(0, client.connect(address().bytes()));
            assertFailure(inbox.take(Throwable.class), "accept", SocketType.STREAM, name);
            if (closes) {
                assertSame(RecordingHandler.INACTIVE, inbox.take());
            }
            assertEquals(closes, !server.isOpen());
        }
        server.close().sync();
    }

    /** The kernel reports an error once, here to the last system call of a batch. */
    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void anErrorThatEndsABatchIsReportedAfterTheRecordsBeforeIt(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(group)) {
            for (int i = 0; i < 3; i++) {
                pair.send("record " + i).sync();
            }
            // A stranger's records, which may bring descriptors, are received one by one.
            CountedCalls calls = CountedCalls.of(loop, "recvmsg");
            calls.failOnce(4, Errno.ENOBUFS);
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < 3; i++) {
                assertEquals("record " + i, pair.text());
            }
            assertFailure(pair.inbox.take(Throwable.class), "read", type, "ENOBUFS");
        }
        Evidence.of("itself", "an error that ends a batch is reported after the records before it, " + type);
    }

    /** An error that the kernel reports once does not reach the new owner. */
    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void anErrorThatEndsABatchIsReportedBeforeTheSocketIsHandedOver(SocketType type) throws Exception {
        try (ChannelPair pair = sendBatchThatEndsWith(Errno.ENOBUFS, type)) {
            Future<UnixFileDescriptor> left = handOverWithFirstMessage(pair);
            assertEquals("first", pair.text());
            assertEquals("second", pair.text());
            assertFailure(pair.inbox.take(Throwable.class), "read", type, "ENOBUFS");
            left.get(10, TimeUnit.SECONDS).release();
        }
    }

    @EachType(SocketType.SEQPACKET)
    void aChannelOfWhichAResetEndsABatchKeepsItsSocket(SocketType type) throws Exception {
        try (ChannelPair pair = sendBatchThatEndsWith(Errno.ECONNRESET, type)) {
            Throwable cause = handOverWithFirstMessage(pair).await().cause();
            assertFailure(assertInstanceOf(ClosedChannelException.class, cause).getCause(), "read", type, "ECONNRESET");
            assertEquals("first", pair.text());
            assertEquals("second", pair.text());
            pair.sender.close().sync();
            assertSame(cause.getCause(), pair.inbox.take(Throwable.class));
        }
        Evidence.of("itself", "a reset that ends a batch is reported although the channel is to be handed over");
    }

    /** Two records, and then an error. A stranger's records, which may bring descriptors, are received one by one. */
    private ChannelPair sendBatchThatEndsWith(int errno, SocketType type) throws Exception {
        ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(group);
        pair.send("first").sync();
        pair.send("second").sync();
        CountedCalls.of(loop, "recvmsg").failOnce(3, errno);
        return pair;
    }

    private static Future<UnixFileDescriptor> handOverWithFirstMessage(ChannelPair pair) {
        Promise<UnixFileDescriptor> left = GlobalEventExecutor.INSTANCE.newPromise();
        pair.receiver.pipeline().addFirst(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.pipeline().remove(this);
                UnixTransport.handOver(ctx.channel()).addListener(new PromiseNotifier<>(left));
                ctx.fireChannelRead(message);
            }
        });
        pair.receiver.config().setAutoRead(true);
        return left;
    }

    /** Another thread may start a program at any time, which would inherit all other sockets. */
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void socketsAreCloseOnExecFromTheStart(SocketType type) throws Exception {
        Channels.server(type, RecordingHandler::new)
                .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().keepOnClose())
                .bind(address()).sync().channel().close().sync();
        FailingCalls.withoutFlag(loop, "socket", 1, FailingCalls.SOCK_CLOEXEC, Errno.EPERM);
        FailingCalls.withoutFlag(loop, "socketpair", 1, FailingCalls.SOCK_CLOEXEC, Errno.EPERM);
        FailingCalls.withoutFlag(loop, "accept4", 3, FailingCalls.SOCK_CLOEXEC, Errno.EPERM);
        // It finds a stale file, which it has to probe.
        RecordingHandler inbox = new RecordingHandler();
        Channel server = loop.submit(() -> Channels.newBindable(type)).get();
        server.pipeline().addLast(new RecordingHandler() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object accepted) {
                ((Channel) accepted).pipeline().addLast(inbox);
                group.register((Channel) accepted);
            }
        });
        group.register(server).sync();
        server.bind(address()).sync();
        Channel client = loop.submit(() -> Channels.newClient(type)).get();
        client.pipeline().addLast(new RecordingHandler());
        group.register(client).sync();
        client.connect(address()).sync();
        client.writeAndFlush(ChannelPair.buffer("accepted")).sync();
        assertEquals("accepted", ChannelPair.text(inbox.take()));
        for (Channel channel : loop.submit(() -> Channels.pair(type)).get()) {
            group.register(channel).sync();
            channel.close().sync();
        }
        client.close().sync();
        server.close().sync();
        Evidence.of("itself", "all " + type + " sockets are close-on-exec from the start");
    }
}
