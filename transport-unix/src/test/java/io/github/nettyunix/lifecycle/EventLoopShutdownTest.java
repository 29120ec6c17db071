package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Buffers;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Event loops that are shut down close their channels, no matter what these are doing, and their threads end. */
@ExtendWith(LeakCheckExtension.class)
class EventLoopShutdownTest {
    private static final int TIMEOUT_SECONDS = 10;

    @TempDir
    private Path folder;
    private final List<Thread> threads = new ArrayList<>();
    private EventLoopGroup group;

    @BeforeEach
    void startLoops() throws Exception {
        group = Loops.newGroup(2);
        for (EventExecutor loop : group) {
            threads.add(loop.submit(Thread::currentThread).get());
        }
    }

    private void shutDown() throws InterruptedException {
        // Without a quiet period, a Netty loop that has just run a task may end without closing its channels.
        assertTrue(group.shutdownGracefully(100, 10_000, TimeUnit.MILLISECONDS)
                .await(TIMEOUT_SECONDS, TimeUnit.SECONDS));
        for (Thread thread : threads) {
            thread.join(TimeUnit.SECONDS.toMillis(TIMEOUT_SECONDS));
            assertFalse(thread.isAlive());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void serversAndConnectionsAreClosedAndTheFileIsRemoved(SocketType type) throws Exception {
        Path path = folder.resolve("server");
        RecordingHandler accepted = new RecordingHandler();
        Channel server = Channels.server(group, type, () -> accepted).bind(UnixSocketAddress.of(path)).sync().channel();
        RecordingHandler inbox = new RecordingHandler();
        Channel client = Channels.client(group, type, inbox).connect(server.localAddress()).sync().channel();
        Channel connection = accepted.channel();
        shutDown();
        for (Channel channel : List.of(server, client, connection)) {
            assertFalse(channel.isOpen());
        }
        assertSame(RecordingHandler.INACTIVE, inbox.take());
        assertSame(RecordingHandler.INACTIVE, accepted.take());
        assertFalse(Files.exists(path));
        Evidence.of("itself", "the shutdown of event loops closes " + type + " servers and connections");
    }

    @EachType
    void writesThatWaitFailAndAreReleased(SocketType type) throws Exception {
        Buffers buffers = new Buffers();
        List<? extends Channel> pair = Channels.pair(type);
        pair.get(1).config().setAutoRead(false);
        for (Channel channel : pair) {
            channel.pipeline().addLast(new RecordingHandler());
            channel.config().setAllocator(buffers.allocator());
            group.register(channel).sync();
        }
        Channel sender = pair.get(0);
        List<UnixFileDescriptor> fds = new ArrayList<>();
        ChannelFuture last;
        do {
            UnixFileDescriptor fd = Descriptors.some(1)[0];
            fds.add(fd);
            last = sender.writeAndFlush(new UnixMessage(buffers.allocator().buffer(10_000).writeZero(10_000), fd));
            ChannelPair.settle(sender);
        } while (sender.isWritable());
        shutDown();
        // The error depends on whether it or its peer is closed first.
        ChannelPair.failure(last);
        assertEquals(0, Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0])));
        buffers.assertAllReleased();
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectThatWaitsFails(SocketType type) throws Exception {
        Path path = folder.resolve("busy");
        try (RawSocket server = RawSocket.bound(type, path).listen(0); RawSocket first = RawSocket.of(type)) {
            assertEquals(0, first.connect(path.toString().getBytes()));
            ChannelFuture connect = Channels.client(group, type, new RecordingHandler())
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 60_000).connect(UnixSocketAddress.of(path));
            ChannelPair.settle(connect.channel());
            assertFalse(connect.isDone());
            shutDown();
            assertTrue(connect.await(TIMEOUT_SECONDS, TimeUnit.SECONDS));
            assertFalse(connect.channel().isOpen());
        }
    }
}
