package io.github.nettyunix.connect;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.FullBacklog;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ConnectionPendingException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A client that connects to a server whose backlog is full waits, up to its connect timeout. */
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class FullBacklogTest {
    private final AtomicInteger active = new AtomicInteger();

    @TempDir
    private Path folder;

    private Path path() {
        return folder.resolve("s");
    }

    private ChannelFuture connect(SocketType type, int timeoutMillis) throws InterruptedException {
        Channel channel = Channels.newClient(type);
        channel.config().setConnectTimeoutMillis(timeoutMillis);
        Channels.register(channel, new RecordingHandler() {
            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                active.incrementAndGet();
            }
        });
        ChannelFuture connected = channel.connect(UnixSocketAddress.of(path()));
        ChannelPair.settle(channel);
        ChannelPair.settle(channel);
        assertFalse(connected.isDone());
        assertFalse(channel.isActive());
        assertNull(channel.remoteAddress());
        return connected;
    }

    private void assertConnected(ChannelFuture connect) throws InterruptedException {
        connect.sync();
        Channel channel = connect.channel();
        ChannelPair.settle(channel);
        assertTrue(channel.isActive());
        assertEquals(UnixSocketAddress.of(path()), channel.remoteAddress());
        assertEquals(1, active.get());
        channel.close().sync();
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectWaitsWithoutSpinningUntilTheServerAccepts(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, path())) {
            ChannelFuture connect = connect(type, 30_000);
            LoopCpu.assertIdle(connect.channel().eventLoop());
            assertFalse(connect.isDone());
            server.acceptAll();
            assertConnected(connect);
        }
        Evidence.of("itself", "connect of a " + type + " channel to a full backlog waits and then succeeds");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void busyServerInAnotherProcessIsWaitedFor(SocketType type) throws Exception {
        String script = """
                kind, path = TYPES[sys.argv[1]], sys.argv[2]
                server = socket.socket(socket.AF_UNIX, kind)
                server.bind(path)
                server.listen(0)
                first = socket.socket(socket.AF_UNIX, kind)
                first.connect(path)
                print("full")
                input()
                first, second = server.accept()[0], server.accept()[0]
                print(second.recv(100).decode())
                wait_for_end()
                """;
        try (Python server = Python.run(script, type, path())) {
            server.expect("full");
            ChannelFuture connect = connect(type, 30_000);
            server.say("accept");
            connect.sync();
            connect.channel().writeAndFlush(ChannelPair.buffer("at last"));
            server.expect("at last");
            assertConnected(connect);
            server.succeed();
        }
        Evidence.of("CPython", "connect of a " + type + " channel waits for a server that is busy");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void noTimeoutWaitsToo(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, path())) {
            ChannelFuture connect = connect(type, 0);
            server.acceptAll();
            assertConnected(connect);
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectTimesOutAndNamesTheAddress(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, path())) {
            long before = System.nanoTime();
            ChannelFuture connect = connect(type, 300);
            ConnectTimeoutException timeout =
                    assertInstanceOf(ConnectTimeoutException.class, ChannelPair.failure(connect));
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - before);
            assertTrue(millis >= 300 && millis < 3000, millis + " ms");
            assertEquals("connect " + type + ' ' + path()
                    + ": ETIMEDOUT (Connection timed out): the server's backlog was full for 300 ms",
                    timeout.getMessage());
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, timeout);
            assertEquals(UnixSocketAddress.of(path()), error.address());
            assertTrue(connect.channel().closeFuture().await(10_000));
            server.acceptAll();
        }
        assertEquals(0, active.get());
        Evidence.of("itself", "connect of a " + type + " channel to a full backlog times out with the address");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void cancelClosesTheChannel(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, path())) {
            ChannelFuture connect = connect(type, 30_000);
            assertTrue(connect.cancel(false));
            assertTrue(connect.channel().closeFuture().await(10_000));
            assertTrue(connect.isCancelled());
            server.acceptAll();
        }
        assertEquals(0, active.get());
        Evidence.of("itself", "cancelling the connect of a " + type + " channel that waits closes its descriptor");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void closeFailsTheConnectThatWaits(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, path())) {
            ChannelFuture connect = connect(type, 30_000);
            assertInstanceOf(ConnectionPendingException.class,
                    ChannelPair.failure(connect.channel().connect(UnixSocketAddress.of(path()))));
            assertFalse(connect.isDone());
            connect.channel().close().sync();
            assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(connect));
            server.acceptAll();
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectThatWaitsIsRefusedWhenTheServerCloses(SocketType type) throws Exception {
        ChannelFuture connect;
        try (FullBacklog ignored = new FullBacklog(type, path())) {
            connect = connect(type, 30_000);
        }
        ConnectException refused = assertInstanceOf(ConnectException.class, ChannelPair.failure(connect));
        assertEquals("connect " + type + ' ' + path() + ": ECONNREFUSED (Connection refused)", refused.getMessage());
        connect.channel().closeFuture().sync();
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectThatWaitsMovesToAnotherLoopWithItsChannel(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, path())) {
            ChannelFuture connect = connect(type, 30_000);
            connect.channel().deregister().sync();
            Loops.group().register(connect.channel()).sync();
            assertFalse(connect.isDone());
            server.acceptAll();
            assertConnected(connect);
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void bootstrapWaitsAsWell(SocketType type) throws Exception {
        try (FullBacklog server = new FullBacklog(type, path())) {
            ChannelFuture connect = Channels.client(type, new RecordingHandler())
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 200)
                    .connect(UnixSocketAddress.of(path()));
            assertInstanceOf(ConnectTimeoutException.class, ChannelPair.failure(connect));
            connect.channel().closeFuture().sync();
            connect = Channels.client(type, new RecordingHandler()).connect(UnixSocketAddress.of(path()));
            server.acceptAll();
            connect.sync();
            connect.channel().close().sync();
        }
    }
}
