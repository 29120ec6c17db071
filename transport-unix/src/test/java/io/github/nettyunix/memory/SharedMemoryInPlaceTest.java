package io.github.nettyunix.memory;

import io.github.nettyunix.SharedMemory;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.FailingAllocator;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.OnlyWith;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.MessageToByteEncoder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Records that are built where the peer reads them. */
@OnlyWith(SocketType.SEQPACKET)
@ExtendWith(LeakCheckExtension.class)
class SharedMemoryInPlaceTest {
    private static <T> T onLoop(ChannelPair pair, Callable<T> task) throws Exception {
        return pair.sender.eventLoop().submit(task).sync().getNow();
    }

    private static byte[] bytes(int number, int length) {
        byte[] bytes = new byte[length];
        new Random(number).nextBytes(bytes);
        return bytes;
    }

    /** Returns what writes to the buffer would change, if they would change what the peer reads. */
    private static byte[] change(ChannelPair pair, ByteBuf record) throws Exception {
        ByteBuf same = record.duplicate();
        pair.sender.writeAndFlush(record.retain()).sync();
        same.setByte(3, 'X');
        pair.receiver.read();
        ByteBuf arrived = pair.inbox.take(ByteBuf.class);
        byte[] bytes = ByteBufUtil.getBytes(arrived);
        arrived.release();
        record.release();
        return bytes;
    }

    private static boolean isInRing(ByteBuf buffer) {
        return buffer.toString().contains("RingSlice");
    }

    @Test
    void copiesOfABufferAreElsewhere() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start()) {
            onLoop(pair, () -> {
                ByteBuf buffer = SharedMemory.allocator(pair.sender).directBuffer(100).writeZero(100);
                ByteBuf copy = buffer.copy();
                assertTrue(isInRing(buffer), buffer.toString());
                assertFalse(isInRing(copy), copy.toString());
                buffer.release();
                copy.release();
                return null;
            });
        }
    }

    @Test
    void theRecordIsNotCopied() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(ChannelOption.AUTO_READ, false).start()) {
            ByteBuf inPlace = onLoop(pair, () -> SharedMemory.allocator(pair.sender).directBuffer(6));
            assertEquals("recXrd", new String(change(pair, inPlace.writeBytes("record".getBytes()))));
            ByteBuf ordinary = pair.sender.alloc().directBuffer(6);
            assertEquals("record", new String(change(pair, ordinary.writeBytes("record".getBytes()))));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void recordsArriveAsTheyWereWrittenHoweverTheyWereBuilt(int seed) throws Exception {
        Descriptors before = Descriptors.now();
        int count = 3000;
        Queue<byte[]> expected = new ConcurrentLinkedQueue<>();
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start()) {
            Random random = new Random(seed);
            Queue<ByteBuf> built = new ArrayDeque<>();
            Queue<ByteBuf> kept = new ArrayDeque<>();
            for (int i = 0; i < count;) {
                int end = Math.min(count, i + 1 + random.nextInt(30));
                int begin = i;
                onLoop(pair, () -> {
                    for (int number = begin; number < end; number++) {
                        int length = random.nextInt(10) == 0 ? random.nextInt(300_000) : random.nextInt(2000);
                        byte[] bytes = bytes(number, length);
                        ByteBuf buffer = switch (random.nextInt(3)) {
                            case 0 -> pair.sender.alloc().buffer(length).writeBytes(bytes);
                            case 1 -> SharedMemory.allocator(pair.sender).buffer(length).writeBytes(bytes);
                            // It may have to grow, or has more than it needs.
                            default -> SharedMemory.allocator(pair.sender).buffer(random.nextInt(4000))
                                    .writeBytes(bytes);
                        };
                        switch (random.nextInt(20)) {
                            case 0 -> buffer.release();
                            case 1 -> built.add(buffer);
                            case 2 -> {
                                built.add(buffer);
                                write(pair, built.remove(), random, expected, kept);
                            }
                            default -> write(pair, buffer, random, expected, kept);
                        }
                        if (random.nextInt(8) == 0) {
                            pair.sender.flush();
                        }
                    }
                    for (ByteBuf buffer; (buffer = built.poll()) != null;) {
                        write(pair, buffer, random, expected, kept);
                    }
                    pair.sender.flush();
                    return null;
                });
                while (!kept.isEmpty()) {
                    // Not on the event loop.
                    kept.remove().release();
                }
                i = end;
                for (byte[] next; (next = expected.poll()) != null;) {
                    UnixMessage message = pair.inbox.take(UnixMessage.class);
                    assertArrayEquals(next, ByteBufUtil.getBytes(message.content()));
                    message.release();
                }
            }
        }
        before.assertUnchanged();
    }

    private static void write(ChannelPair pair, ByteBuf buffer, Random random, Queue<byte[]> expected,
            Queue<ByteBuf> kept) throws IOException {
        if (random.nextInt(5) == 0) {
            kept.add(buffer.retainedDuplicate());
        }
        if (random.nextInt(10) == 0 && buffer.readableBytes() > 10) {
            // The record before the rest, both of which are parts of the same memory.
            ByteBuf first = buffer.readRetainedSlice(random.nextInt(10));
            expected.add(ByteBufUtil.getBytes(first));
            pair.sender.write(first);
        }
        byte[] bytes = ByteBufUtil.getBytes(buffer);
        switch (random.nextInt(10)) {
            case 0 -> {
                expected.add(bytes);
                pair.sender.write(new UnixMessage(buffer, Descriptors.some(1 + random.nextInt(3))));
            }
            case 1 -> {
                if (pair.sender.write(buffer).cancel(false)) {
                    return;
                }
                expected.add(bytes);
            }
            default -> {
                expected.add(bytes);
                pair.sender.write(buffer);
            }
        }
    }

    @Test
    void unwrittenMemoryIsUsedAgain() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(ChannelOption.AUTO_READ, false).start()) {
            ChannelFuture last = onLoop(pair, () -> {
                ByteBufAllocator allocator = SharedMemory.allocator(pair.sender);
                long first = 0;
                for (int i = 0; i < 1000; i++) {
                    ByteBuf buffer = allocator.directBuffer(100_000);
                    first = i == 0 ? buffer.memoryAddress() : first;
                    assertEquals(first, buffer.memoryAddress());
                    buffer.release();
                }
                // The space behind what was written as well.
                for (int i = 0; i < 100; i++) {
                    ByteBuf buffer = allocator.directBuffer(100_000).writeInt(i);
                    assertEquals(first + 16 * i, buffer.memoryAddress());
                    pair.sender.write(buffer);
                }
                return pair.sender.writeAndFlush(allocator.directBuffer(8).writeInt(100));
            });
            last.sync();
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i <= 100; i++) {
                ByteBuf record = pair.inbox.take(ByteBuf.class);
                assertEquals(i, record.readInt());
                assertFalse(record.isReadable());
                record.release();
            }
        }
    }

    @Test
    void whatIsKeptKeepsTheMemoryUntilItIsReleasedOnAnyThread() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start()) {
            ByteBuf kept = onLoop(pair, () -> SharedMemory.allocator(pair.sender).directBuffer(4).writeInt(7));
            pair.sender.writeAndFlush(kept.retainedDuplicate()).sync();
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                writes.add(pair.sender.writeAndFlush(Unpooled.wrappedBuffer(bytes(i, 100_000))));
            }
            for (int i = 0; i < 11; i++) {
                pair.inbox.take(ByteBuf.class).release();
            }
            ChannelPair.settle(pair.sender);
            assertFalse(writes.get(11).isDone());
            assertEquals(7, kept.getInt(0));
            kept.release();
            for (int i = 10; i < 12; i++) {
                ByteBuf record = pair.inbox.take(ByteBuf.class);
                assertArrayEquals(bytes(i, 100_000), ByteBufUtil.getBytes(record));
                record.release();
            }
            writes.get(11).sync();
        }
    }

    @Test
    void aBufferOutlivesTheChannel() throws Exception {
        ByteBuf buffer;
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start()) {
            buffer = onLoop(pair, () -> SharedMemory.allocator(pair.sender).directBuffer(1000));
        }
        buffer.writeBytes(bytes(1, 1000));
        assertArrayEquals(bytes(1, 1000), ByteBufUtil.getBytes(buffer));
        buffer.release();
    }

    @Test
    void otherwiseBuffersAreTheChannelsOwn() throws Exception {
        FailingAllocator own = new FailingAllocator();
        try (ChannelPair pair = ChannelPair.ofSharedMemory()) {
            pair.sender.config().setAllocator(own);
            ByteBufAllocator allocator = SharedMemory.allocator(pair.sender);
            assertOwn(own, () -> allocator.directBuffer(10));
            pair.start();
            assertOwn(own, () -> allocator.directBuffer(10));
            onLoop(pair, () -> {
                assertOwn(own, () -> allocator.heapBuffer(10));
                assertOwn(own, () -> allocator.directBuffer(1 << 18));
                allocator.directBuffer(10).release();
                pair.sender.write(pair.sender.alloc().directBuffer(10).writeInt(1));
                assertOwn(own, () -> allocator.directBuffer(10));
                pair.sender.flush();
                allocator.directBuffer(10).release();
                return null;
            });
            pair.inbox.take(ByteBuf.class).release();
        }
        own.assertAllReleased();
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            assertSame(pair.sender.alloc(), SharedMemory.allocator(pair.sender));
        }
    }

    /** The buffer comes from the allocator that fails. */
    private static void assertOwn(FailingAllocator own, Callable<ByteBuf> allocation) throws Exception {
        own.failAt(1);
        try {
            allocation.call().release();
        } catch (OutOfMemoryError e) {
            return;
        }
        throw new AssertionError("allocated elsewhere");
    }

    @Test
    void encodersBuildInPlaceIfItIsTheChannelsAllocator() throws Exception {
        List<ByteBuf> encoded = new ArrayList<>();
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start()) {
            pair.sender.config().setAllocator(SharedMemory.allocator(pair.sender));
            pair.sender.pipeline().addFirst(new MessageToByteEncoder<Integer>() {
                @Override
                protected void encode(ChannelHandlerContext ctx, Integer number, ByteBuf out) {
                    encoded.add(out);
                    out.writeInt(number);
                }
            });
            for (int i = 0; i < 1000; i++) {
                pair.sender.writeAndFlush(i);
                ByteBuf record = pair.inbox.take(ByteBuf.class);
                assertEquals(i, record.readInt());
                pair.receiver.writeAndFlush(record.resetReaderIndex());
                ByteBuf echo = pair.senderInbox.take(ByteBuf.class);
                assertFalse(isInRing(echo), echo.toString());
                assertEquals(i, echo.readInt());
                echo.release();
            }
            assertTrue(encoded.stream().allMatch(SharedMemoryInPlaceTest::isInRing));
        }
    }

    @Test
    void theChannelClosesWithRecordsThatAreBuilt() throws Exception {
        Descriptors before = Descriptors.now();
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start()) {
            List<ByteBuf> buffers = new ArrayList<>();
            List<ChannelFuture> writes = new ArrayList<>();
            onLoop(pair, () -> {
                for (int i = 0; i < 20; i++) {
                    ByteBuf buffer = SharedMemory.allocator(pair.sender).directBuffer(1000).writeInt(i);
                    if (i % 2 == 0) {
                        writes.add(pair.sender.write(buffer));
                    } else {
                        buffers.add(buffer);
                    }
                }
                pair.sender.close();
                for (ByteBuf buffer : buffers) {
                    writes.add(pair.sender.writeAndFlush(buffer));
                }
                return null;
            });
            for (ChannelFuture write : writes) {
                ChannelPair.failure(write);
            }
        }
        before.assertUnchanged();
    }
}
