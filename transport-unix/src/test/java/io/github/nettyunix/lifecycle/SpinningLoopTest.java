package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Promise;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** On a spinning loop, channels poll their sockets without events; everything else works as on other loops. */
@ExtendWith(LeakCheckExtension.class)
class SpinningLoopTest {
    /** With this many reading channels, the selector is used instead. */
    private static final int MANY_PAIRS = 3;

    @TempDir
    private Path folder;

    EventLoopGroup group;
    private EventLoop loop;

    @BeforeEach
    void start() {
        group = newGroup();
        loop = group.next();
    }

    @AfterEach
    void shutDown() throws InterruptedException {
        group.shutdownGracefully(0, 5000, TimeUnit.MILLISECONDS).sync();
    }

    EventLoopGroup newGroup() {
        return new MultiThreadIoEventLoopGroup(1, Loops.newSpinningIoHandlerFactory());
    }

    /** Waits until the loop has polled many times. */
    private void spin() throws InterruptedException {
        Promise<Void> done = loop.newPromise();
        loop.execute(() -> spin(100, done));
        done.sync();
    }

    /**
     * What the loop's own thread schedules runs in the next turn at the earliest; what other threads submit may run in
     * this one.
     */
    private void spin(int turns, Promise<Void> done) {
        if (turns == 0) {
            done.setSuccess(null);
        } else {
            loop.schedule(() -> spin(turns - 1, done), 0, TimeUnit.NANOSECONDS);
        }
    }

    @EachType
    void messagesArriveInBothDirections(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start(group)) {
            for (int i = 0; i < 100; i++) {
                pair.send("there " + i);
                assertEquals("there " + i, pair.text());
                pair.receiver.writeAndFlush(ChannelPair.buffer("back " + i));
                assertEquals("back " + i, ChannelPair.text(pair.senderInbox.take()));
            }
            spin();
            assertTrue(pair.inbox.isEmpty() && pair.senderInbox.isEmpty());
        }
        Evidence.of("itself", type + " channels on loops that spin");
    }

    /** A loop that looks all the time also looks between the end of the connection and the error that belongs to it. */
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void everyResetIsReported(SocketType type) throws Exception {
        EventLoopGroup peers = Loops.newGroup(1);
        for (int i = 0; i < 2_000; i++) {
            List<? extends Channel> pair = type == SocketType.STREAM ? UnixStreamChannel.pair()
                    : UnixSeqpacketChannel.pair();
            RecordingHandler inbox = new RecordingHandler();
            pair.get(0).pipeline().addLast(inbox);
            loop.register(pair.get(0)).sync();
            pair.get(1).config().setAutoRead(false);
            peers.register(pair.get(1)).sync();
            pair.get(0).writeAndFlush(ChannelPair.buffer("unread")).sync();
            pair.get(1).close().sync();
            assertTrue(inbox.take(IOException.class).getMessage().contains("ECONNRESET"));
            pair.get(0).closeFuture().sync();
        }
        peers.shutdownGracefully(0, 5000, TimeUnit.MILLISECONDS).sync();
    }

    @EachType
    void largeMessagesArriveToo(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start(group)) {
            for (int i = 0; i < 10; i++) {
                String message = (char) ('a' + i) + "x".repeat(50_000);
                pair.send(message);
                StringBuilder arrived = new StringBuilder();
                while (arrived.length() < message.length()) {
                    arrived.append(pair.text());
                }
                assertEquals(message, arrived.toString());
                spin();
            }
        }
    }

    @EachType
    void pollsThatFindNothingFireNoEventsAndAllocateNothing(SocketType type) throws Exception {
        AtomicInteger completed = new AtomicInteger();
        AtomicInteger allocated = new AtomicInteger();
        ChannelPair prepared = ChannelPair.of(type);
        prepared.receiver.config().setAllocator(new AbstractByteBufAllocator() {
            @Override
            protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
                allocated.incrementAndGet();
                return UnpooledByteBufAllocator.DEFAULT.heapBuffer(initialCapacity, maxCapacity);
            }

            @Override
            protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
                allocated.incrementAndGet();
                return UnpooledByteBufAllocator.DEFAULT.directBuffer(initialCapacity, maxCapacity);
            }

            @Override
            public boolean isDirectBufferPooled() {
                return false;
            }
        });
        try (ChannelPair pair = prepared.start(group, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {
                completed.incrementAndGet();
                ctx.fireChannelReadComplete();
            }
        })) {
            // Records of this length are read into buffers of their own.
            String message = "x".repeat(10_000);
            pair.send(message);
            for (int left = message.length(); left > 0;) {
                left -= pair.text().length();
            }
            spin();
            int completedBefore = completed.get();
            int allocatedBefore = allocated.get();
            spin();
            assertEquals(completedBefore, completed.get());
            assertEquals(allocatedBefore, allocated.get());
        }
    }

    @EachType
    void channelsAreServedHoweverManyThereAre(SocketType type) throws Exception {
        List<ChannelPair> all = new ArrayList<>();
        try {
            for (int i = 0; i < MANY_PAIRS; i++) {
                all.add(ChannelPair.of(type).start(group));
                exchange(all);
            }
            while (!all.isEmpty()) {
                all.remove(0).close();
                exchange(all);
            }
        } finally {
            for (ChannelPair pair : all) {
                pair.close();
            }
        }
    }

    private static void exchange(List<ChannelPair> all) {
        for (ChannelPair pair : all) {
            pair.send("there");
            pair.receiver.writeAndFlush(ChannelPair.buffer("back"));
        }
        for (ChannelPair pair : all) {
            assertEquals("there", pair.text());
            assertEquals("back", ChannelPair.text(pair.senderInbox.take()));
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void serverAcceptsWhileThereAlwaysIsSomethingToRead(SocketType type) throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("server"));
        // Two channels that are never idle: each turn finds data.
        List<? extends Channel> busy = Channels.pair(type);
        for (Channel channel : busy) {
            channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    ctx.writeAndFlush(message, ctx.voidPromise());
                }
            });
            group.register(channel).sync();
        }
        busy.get(0).writeAndFlush(ChannelPair.buffer("to and fro")).sync();
        busy.get(1).writeAndFlush(ChannelPair.buffer("to and fro")).sync();

        Channel server = Channels.server(group, type, () -> new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                ctx.writeAndFlush(ChannelPair.buffer("welcome")).addListener(ChannelFutureListener.CLOSE);
            }
        }).bind(address).sync().channel();
        for (int i = 0; i < 3; i++) {
            RecordingHandler inbox = new RecordingHandler();
            Channel client = Channels.client(type, inbox).connect(address).sync().channel();
            assertEquals("welcome", ChannelPair.text(inbox.take()));
            client.closeFuture().sync();
        }
        server.close().sync();
        for (Channel channel : busy) {
            channel.close().sync();
        }
        Evidence.of("itself", "a " + type + " server accepts on a loop that spins and always has something to read");
    }

    @EachType
    void withoutAutoReadEveryReadIsWorthOneMessage(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(group)) {
            for (int i = 0; i < 5; i++) {
                // On a stream, only descriptors separate messages.
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(1)))
                        .sync();
            }
            for (int i = 0; i < 5; i++) {
                spin();
                assertTrue(pair.inbox.isEmpty());
                pair.receiver.read();
                assertEquals("message " + i, pair.text());
            }
            // A read() without data waits for data.
            pair.receiver.read();
            spin();
            pair.send("late").sync();
            assertEquals("late", pair.text());
            pair.send("too late").sync();
            spin();
            assertTrue(pair.inbox.isEmpty());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void endIsReportedWithoutAReadIfNothingIsLeft(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false).start(group)) {
            pair.receiver.read();
            pair.send("last words").sync();
            assertEquals("last words", pair.text());
            pair.sender.close().sync();
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void directionsEndSeparately(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.ALLOW_HALF_CLOSURE, true).start(group)) {
            pair.send("last words");
            ((DuplexChannel) pair.sender).shutdownOutput().sync();
            assertEquals("last words", pair.text());
            assertSame(ChannelInputShutdownEvent.INSTANCE, pair.inbox.take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, pair.inbox.take());
            spin();
            assertTrue(pair.inbox.isEmpty());
            pair.senderInbox.take();
            pair.receiver.writeAndFlush(ChannelPair.buffer("answer")).sync();
            assertEquals("answer", ChannelPair.text(pair.senderInbox.take()));
        }
    }

    @EachType
    void channelContinuesOnAnotherLoop(SocketType type) throws Exception {
        EventLoopGroup other = newGroup();
        try (ChannelPair pair = ChannelPair.of(type).start(group)) {
            for (EventLoopGroup next : List.of(other, Loops.group(), group)) {
                pair.send("before").sync();
                assertEquals("before", pair.text());
                pair.receiver.deregister().sync();
                pair.send("between").sync();
                spin();
                assertTrue(pair.inbox.isEmpty());
                next.register(pair.receiver).sync();
                assertEquals("between", pair.text());
            }
        } finally {
            other.shutdownGracefully(0, 5000, TimeUnit.MILLISECONDS).sync();
        }
    }

    @EachType
    void channelThatIsReadCanBeClosedByAnotherThread(SocketType type) throws Exception {
        for (int i = 0; i < 20; i++) {
            try (ChannelPair pair = ChannelPair.of(type).start(group)) {
                pair.send("message");
                assertEquals("message", pair.text());
                pair.send("message that may come too late");
                pair.receiver.close().sync();
                assertFalse(pair.receiver.isOpen());
            }
        }
    }

    @EachType
    void writesThatWaitForRoomGoOn(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.SO_SNDBUF, 5000)
                .withSender(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1000, 2000));
        AtomicInteger changes = new AtomicInteger();
        prepared.sender.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelWritabilityChanged(ChannelHandlerContext ctx) {
                changes.incrementAndGet();
            }
        });
        try (ChannelPair pair = prepared.start(group)) {
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                writes.add(pair.send("x".repeat(1000)));
            }
            spin();
            assertFalse(writes.get(99).isDone() || pair.sender.isWritable());
            pair.receiver.config().setAutoRead(true);
            for (ChannelFuture write : writes) {
                assertTrue(write.await(10, TimeUnit.SECONDS) && write.isSuccess());
            }
            ChannelPair.settle(pair.sender);
            assertTrue(pair.sender.isWritable() && changes.get() > 1);
        }
    }

    @EachType
    void channelsThatAreReadEndWithTheLoop(SocketType type) throws Exception {
        EventLoopGroup ending = newGroup();
        List<? extends Channel> pair = Channels.pair(type);
        RecordingHandler inbox = new RecordingHandler();
        pair.get(1).pipeline().addLast(inbox);
        group.register(pair.get(0)).sync();
        ending.register(pair.get(1)).sync();
        pair.get(0).writeAndFlush(ChannelPair.buffer("message")).sync();
        assertEquals("message", ChannelPair.text(inbox.take()));
        // With a quiet period of 0, a Netty loop may end before it has closed its channels.
        ending.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).sync();
        assertFalse(pair.get(1).isOpen());
        assertSame(RecordingHandler.INACTIVE, inbox.take());
        pair.get(0).close().sync();
    }

    @Test
    void loopRunsTasksOfOtherThreadsAndTimers() throws Exception {
        assertEquals("task", loop.submit(() -> "task").get(10, TimeUnit.SECONDS));
        assertEquals("timer", loop.schedule(() -> "timer", 5, TimeUnit.MILLISECONDS).get(10, TimeUnit.SECONDS));
    }
}
