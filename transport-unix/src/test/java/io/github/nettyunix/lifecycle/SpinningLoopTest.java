package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
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

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** On a loop that spins, channels try to read without being told; all else is as on other loops. */
@ExtendWith(NothingLeft.class)
class SpinningLoopTest {
    /** With so many channels that are reading, the selector is asked instead. */
    private static final int MANY_PAIRS = 3;

    @TempDir
    private Path folder;

    private EventLoopGroup group;
    private EventLoop loop;

    @BeforeEach
    void start() {
        group = new MultiThreadIoEventLoopGroup(1, Loops.newSpinningIoHandlerFactory());
        loop = group.next();
    }

    @AfterEach
    void shutDown() throws InterruptedException {
        group.shutdownGracefully(0, 5000, TimeUnit.MILLISECONDS).sync();
    }

    /** The loop has looked for something to read many times. */
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
        try (Ends ends = Ends.of(type).start(group)) {
            for (int i = 0; i < 100; i++) {
                ends.send("there " + i);
                assertEquals("there " + i, ends.text());
                ends.receiver.writeAndFlush(Ends.buffer("back " + i));
                assertEquals("back " + i, Ends.text(ends.senderInbox.take()));
            }
            spin();
            assertTrue(ends.inbox.isEmpty() && ends.senderInbox.isEmpty());
        }
        Proof.of("itself", type + " channels on loops that spin");
    }

    @EachType
    void largeMessagesArriveToo(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).start(group)) {
            for (int i = 0; i < 10; i++) {
                String message = (char) ('a' + i) + "x".repeat(50_000);
                ends.send(message);
                StringBuilder arrived = new StringBuilder();
                while (arrived.length() < message.length()) {
                    arrived.append(ends.text());
                }
                assertEquals(message, arrived.toString());
                spin();
            }
        }
    }

    @EachType
    void attemptsThatFindNothingTellNobodyAndTakeNoMemory(SocketType type) throws Exception {
        AtomicInteger completed = new AtomicInteger();
        AtomicInteger allocated = new AtomicInteger();
        Ends pair = Ends.of(type);
        pair.receiver.config().setAllocator(new AbstractByteBufAllocator() {
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
        try (Ends ends = pair.start(group, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {
                completed.incrementAndGet();
                ctx.fireChannelReadComplete();
            }
        })) {
            // Records of this length are read into buffers of their own.
            String message = "x".repeat(10_000);
            ends.send(message);
            for (int left = message.length(); left > 0;) {
                left -= ends.text().length();
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
        List<Ends> all = new ArrayList<>();
        try {
            for (int i = 0; i < MANY_PAIRS; i++) {
                all.add(Ends.of(type).start(group));
                exchange(all);
            }
            while (!all.isEmpty()) {
                all.remove(0).close();
                exchange(all);
            }
        } finally {
            for (Ends ends : all) {
                ends.close();
            }
        }
    }

    private static void exchange(List<Ends> all) {
        for (Ends ends : all) {
            ends.send("there");
            ends.receiver.writeAndFlush(Ends.buffer("back"));
        }
        for (Ends ends : all) {
            assertEquals("there", ends.text());
            assertEquals("back", Ends.text(ends.senderInbox.take()));
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void serverAcceptsWhileThereAlwaysIsSomethingToRead(SocketType type) throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("server"));
        // Two that are never silent: each turn finds something.
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
        busy.get(0).writeAndFlush(Ends.buffer("to and fro")).sync();
        busy.get(1).writeAndFlush(Ends.buffer("to and fro")).sync();

        Channel server = Channels.server(group, type, () -> new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                ctx.writeAndFlush(Ends.buffer("welcome")).addListener(ChannelFutureListener.CLOSE);
            }
        }).bind(address).sync().channel();
        for (int i = 0; i < 3; i++) {
            Inbox inbox = new Inbox();
            Channel client = Channels.client(type, inbox).connect(address).sync().channel();
            assertEquals("welcome", Ends.text(inbox.take()));
            client.closeFuture().sync();
        }
        server.close().sync();
        for (Channel channel : busy) {
            channel.close().sync();
        }
        Proof.of("itself", "a " + type + " server accepts on a loop that spins and always has something to read");
    }

    @EachType
    void withoutAutoReadEveryReadIsWorthOneMessage(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(group)) {
            for (int i = 0; i < 5; i++) {
                // On a stream only descriptors keep messages apart.
                ends.sender.writeAndFlush(new UnixMessage(Ends.buffer("message " + i), Descriptors.some(1))).sync();
            }
            for (int i = 0; i < 5; i++) {
                spin();
                assertTrue(ends.inbox.isEmpty());
                ends.receiver.read();
                assertEquals("message " + i, ends.text());
            }
            // A read without data waits for some.
            ends.receiver.read();
            spin();
            ends.send("late").sync();
            assertEquals("late", ends.text());
            ends.send("too late").sync();
            spin();
            assertTrue(ends.inbox.isEmpty());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void endIsToldWithoutReadIfNothingIsLeft(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(ChannelOption.AUTO_READ, false).start(group)) {
            ends.receiver.read();
            ends.send("last words").sync();
            assertEquals("last words", ends.text());
            ends.sender.close().sync();
            assertSame(Inbox.INACTIVE, ends.inbox.take());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void directionsEndSeparately(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(ChannelOption.ALLOW_HALF_CLOSURE, true).start(group)) {
            ends.send("last words");
            ((DuplexChannel) ends.sender).shutdownOutput().sync();
            assertEquals("last words", ends.text());
            assertSame(ChannelInputShutdownEvent.INSTANCE, ends.inbox.take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, ends.inbox.take());
            spin();
            assertTrue(ends.inbox.isEmpty());
            ends.senderInbox.take();
            ends.receiver.writeAndFlush(Ends.buffer("answer")).sync();
            assertEquals("answer", Ends.text(ends.senderInbox.take()));
        }
    }

    @EachType
    void channelGoesOnOnAnotherLoop(SocketType type) throws Exception {
        EventLoopGroup other = new MultiThreadIoEventLoopGroup(1, Loops.newSpinningIoHandlerFactory());
        try (Ends ends = Ends.of(type).start(group)) {
            for (EventLoopGroup next : List.of(other, Loops.group(), group)) {
                ends.send("before").sync();
                assertEquals("before", ends.text());
                ends.receiver.deregister().sync();
                ends.send("between").sync();
                spin();
                assertTrue(ends.inbox.isEmpty());
                next.register(ends.receiver).sync();
                assertEquals("between", ends.text());
            }
        } finally {
            other.shutdownGracefully(0, 5000, TimeUnit.MILLISECONDS).sync();
        }
    }

    @EachType
    void channelThatIsReadCanBeClosedByAnotherThread(SocketType type) throws Exception {
        for (int i = 0; i < 20; i++) {
            try (Ends ends = Ends.of(type).start(group)) {
                ends.send("message");
                assertEquals("message", ends.text());
                ends.send("message that may come too late");
                ends.receiver.close().sync();
                assertFalse(ends.receiver.isOpen());
            }
        }
    }

    @EachType
    void writesThatWaitForRoomGoOn(SocketType type) throws Exception {
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false).withSender(ChannelOption.SO_SNDBUF, 5000)
                .withSender(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1000, 2000));
        AtomicInteger changes = new AtomicInteger();
        pair.sender.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelWritabilityChanged(ChannelHandlerContext ctx) {
                changes.incrementAndGet();
            }
        });
        try (Ends ends = pair.start(group)) {
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                writes.add(ends.send("x".repeat(1000)));
            }
            spin();
            assertFalse(writes.get(99).isDone() || ends.sender.isWritable());
            ends.receiver.config().setAutoRead(true);
            for (ChannelFuture write : writes) {
                assertTrue(write.await(10, TimeUnit.SECONDS) && write.isSuccess());
            }
            Ends.settle(ends.sender);
            assertTrue(ends.sender.isWritable() && changes.get() > 1);
        }
    }

    @EachType
    void channelsThatAreReadEndWithTheLoop(SocketType type) throws Exception {
        EventLoopGroup ending = new MultiThreadIoEventLoopGroup(1, Loops.newSpinningIoHandlerFactory());
        List<? extends Channel> pair = Channels.pair(type);
        Inbox inbox = new Inbox();
        pair.get(1).pipeline().addLast(inbox);
        group.register(pair.get(0)).sync();
        ending.register(pair.get(1)).sync();
        pair.get(0).writeAndFlush(Ends.buffer("message")).sync();
        assertEquals("message", Ends.text(inbox.take()));
        // With a quiet period of 0 a loop of Netty's may end before it has closed its channels.
        ending.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).sync();
        assertFalse(pair.get(1).isOpen());
        assertSame(Inbox.INACTIVE, inbox.take());
        pair.get(0).close().sync();
    }

    @Test
    void loopRunsTasksOfOtherThreadsAndTimers() throws Exception {
        assertEquals("task", loop.submit(() -> "task").get(10, TimeUnit.SECONDS));
        assertEquals("timer", loop.schedule(() -> "timer", 5, TimeUnit.MILLISECONDS).get(10, TimeUnit.SECONDS));
    }
}
