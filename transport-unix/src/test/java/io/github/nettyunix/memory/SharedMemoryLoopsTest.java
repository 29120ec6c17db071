package io.github.nettyunix.memory;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.OnlyWith;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Shared memory on loops that sleep, that look before they sleep, and that spin: no wake-up is lost, none is idle. */
@OnlyWith(SocketType.SEQPACKET)
@ExtendWith(LeakCheckExtension.class)
class SharedMemoryLoopsTest {
    enum Kind {
        SLEEPING(Loops::newIoHandlerFactory),
        LOOKING(() -> Loops.newSpinningIoHandlerFactory(Duration.ofNanos(20_000))),
        SPINNING(Loops::newSpinningIoHandlerFactory);

        private final Supplier<IoHandlerFactory> factory;

        Kind(Supplier<IoHandlerFactory> factory) {
            this.factory = factory;
        }

        EventLoopGroup newGroup(int threads) {
            return new MultiThreadIoEventLoopGroup(threads, factory.get());
        }
    }

    /** Answers a record with the next number, or ends with the last one. */
    private static final class Counting extends ChannelInboundHandlerAdapter {
        private final int last;
        private final CountDownLatch done;

        Counting(int last, CountDownLatch done) {
            this.last = last;
            this.done = done;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf record = (ByteBuf) message;
            int number = record.readInt();
            record.release();
            if (number == last) {
                done.countDown();
            } else {
                ctx.writeAndFlush(ctx.alloc().buffer(4).writeInt(number + 1));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyRecordOfAConversationIsNoticed(Kind kind) throws Exception {
        Descriptors before = Descriptors.now();
        int pairs = 3;
        CountDownLatch done = new CountDownLatch(pairs);
        EventLoopGroup group = kind.newGroup(2);
        for (int i = 0; i < pairs; i++) {
            var pair = UnixSharedMemoryChannel.pair();
            for (Channel channel : pair) {
                channel.pipeline().addLast(new Counting(2000, done));
                group.register(channel).sync();
            }
            pair.get(0).writeAndFlush(pair.get(0).alloc().buffer(4).writeInt(0));
        }
        assertTrue(done.await(50, TimeUnit.SECONDS), "a conversation has stopped");
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        before.assertUnchanged();
    }

    @ParameterizedTest
    @EnumSource
    void writesThatWaitForRoomGoOnWhileTheChannelIsPaused(Kind kind) throws Exception {
        EventLoopGroup group = kind.newGroup(2);
        try (ChannelPair pair = ChannelPair.ofSharedMemory().withSender(ChannelOption.AUTO_READ, false).start(group)) {
            ChannelFuture last = null;
            for (int i = 0; i < 60; i++) {
                last = pair.sender.writeAndFlush(pair.sender.alloc().buffer(100_000).writeInt(i).writeZero(99_996));
            }
            for (int i = 0; i < 60; i++) {
                ByteBuf record = pair.inbox.take(ByteBuf.class);
                assertEquals(i, record.getInt(0));
                assertEquals(100_000, record.readableBytes());
                record.release();
            }
            last.sync();
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"SLEEPING", "LOOKING"})
    void anIdleLoopSleepsUntilSomethingArrives(Kind kind) throws Exception {
        EventLoopGroup group = kind.newGroup(1);
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start(group)) {
            for (int i = 0; i < 3; i++) {
                LoopCpu.assertIdle(pair.receiver.eventLoop());
                pair.send("message " + i);
                assertEquals("message " + i, pair.text());
            }
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    /** A turn of the loop is one of each channel, however fast one of them fills its memory. */
    @ParameterizedTest
    @EnumSource
    void recordsWithoutEndLeaveOtherChannelsTheirTurns(Kind kind) throws Exception {
        EventLoopGroup group = kind.newGroup(1);
        try (ChannelPair memory = ChannelPair.ofSharedMemory();
             ChannelPair socket = ChannelPair.of(SocketType.STREAM)) {
            AtomicInteger turns = new AtomicInteger();
            CompletableFuture<Integer> read = new CompletableFuture<>();
            socket.start(group, new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    read.complete(turns.get());
                    ctx.fireChannelRead(message);
                }
            });
            memory.start(group, new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    ReferenceCountUtil.release(message);
                }

                @Override
                public void channelReadComplete(ChannelHandlerContext ctx) {
                    if (turns.incrementAndGet() == 10) {
                        socket.send("from the same loop");
                    }
                    if (!read.isDone() && turns.get() < 10_000) {
                        memory.send("more");
                    }
                    ctx.fireChannelReadComplete();
                }
            });
            memory.send("first");
            int turn = read.get(60, TimeUnit.SECONDS);
            assertTrue(turn <= 12, "read in turn " + turn);
            assertEquals("from the same loop", socket.text());
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aChannelContinuesOnAnotherLoop(Kind kind) throws Exception {
        EventLoopGroup first = kind.newGroup(1);
        EventLoopGroup second = Kind.SLEEPING.newGroup(1);
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start(first)) {
            for (int i = 0; i < 20; i++) {
                pair.send("before " + i);
                assertEquals("before " + i, pair.text());
                pair.receiver.deregister().sync();
                pair.send("between " + i);
                (i % 2 == 0 ? second : first).register(pair.receiver).sync();
                assertEquals("between " + i, pair.text());
            }
        } finally {
            first.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
            second.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }
}
