package io.github.nettyunix.memory;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixRecordPart;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.FailingAllocator;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

@OnlyWith(SocketType.SEQPACKET)
@ExtendWith(LeakCheckExtension.class)
class SharedMemoryPairTest {
    /** Bytes that depend on the number of their record. */
    private static ByteBuf record(int number, int length) {
        byte[] bytes = new byte[length];
        new Random(number).nextBytes(bytes);
        return Unpooled.wrappedBuffer(bytes);
    }

    private static void assertRecord(int number, int length, ByteBuf arrived) {
        assertContent(number, length, arrived);
        arrived.release();
    }

    private static void assertContent(int number, int length, ByteBuf arrived) {
        // Not by equals, which would record each access in the leak detector.
        assertArrayEquals(ByteBufUtil.getBytes(record(number, length)), ByteBufUtil.getBytes(arrived),
                "record " + number);
    }

    @Test
    void recordsOfAllSizesArriveAsTheyWereWritten() throws Exception {
        Descriptors before = Descriptors.now();
        int[] lengths = {0, 1, 7, 8, 9, 4096, 65_536, 262_136, 262_137, 300_000, 1 << 20, 5 << 20, 3};
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start()) {
            for (int i = 0; i < lengths.length; i++) {
                pair.sender.write(record(i, lengths[i]));
                pair.receiver.write(record(100 + i, lengths[i]));
            }
            ChannelFuture last = pair.sender.writeAndFlush(Unpooled.EMPTY_BUFFER);
            pair.receiver.flush();
            for (int i = 0; i < lengths.length; i++) {
                assertRecord(i, lengths[i], pair.inbox.take(ByteBuf.class));
                assertRecord(100 + i, lengths[i], pair.senderInbox.take(ByteBuf.class));
            }
            assertRecord(0, 0, pair.inbox.take(ByteBuf.class));
            last.sync();
        }
        before.assertUnchanged();
    }

    @Test
    void manyRecordsKeepTheirOrderWhileTheRingFillsAgainAndAgain() throws Exception {
        int count = 20_000;
        try (ChannelPair pair = ChannelPair.ofSharedMemory().start()) {
            pair.sender.eventLoop().execute(() -> {
                for (int i = 0; i < count; i++) {
                    pair.sender.write(pair.sender.alloc().directBuffer(64).writeInt(i).writeZero(i % 61));
                    if (i % 1000 == 0) {
                        pair.sender.flush();
                    }
                }
                pair.sender.flush();
            });
            for (int i = 0; i < count; i++) {
                ByteBuf record = pair.inbox.take(ByteBuf.class);
                assertEquals(i, record.getInt(0));
                assertEquals(4 + i % 61, record.readableBytes());
                record.release();
            }
        }
    }

    @Test
    void withoutReadingTheSenderBecomesUnwritableAndNothingIsLost() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(ChannelOption.AUTO_READ, false).start()) {
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                writes.add(pair.sender.writeAndFlush(record(i, 50_000)));
            }
            ChannelPair.settle(pair.sender);
            assertFalse(pair.sender.isWritable());
            assertTrue(writes.get(15).isSuccess());
            assertFalse(writes.get(30).isDone());
            assertTrue(pair.inbox.isEmpty());
            for (int i = 0; i < 100; i++) {
                pair.receiver.read();
                assertRecord(i, 50_000, pair.inbox.take(ByteBuf.class));
                ChannelPair.settle(pair.receiver);
                assertTrue(pair.inbox.isEmpty(), "a read is worth one record");
            }
            writes.get(99).sync();
        }
    }

    @Test
    void aPausedReceiverCanStillWriteMoreThanItsRingHolds() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.AUTO_READ, false).start()) {
            // The peer's descriptors are in the way of the socket's wake-ups.
            for (int i = 0; i < 3; i++) {
                pair.sender.writeAndFlush(new UnixMessage(record(i, 10), Descriptors.some(1))).sync();
            }
            ChannelFuture last = null;
            for (int i = 0; i < 100; i++) {
                last = pair.receiver.writeAndFlush(record(i, 50_000));
            }
            ChannelPair.settle(pair.receiver);
            assertFalse(last.isDone());
            pair.sender.config().setAutoRead(true);
            for (int i = 0; i < 100; i++) {
                assertRecord(i, 50_000, pair.senderInbox.take(ByteBuf.class));
            }
            last.sync();
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < 3; i++) {
                assertRecord(i, 10, pair.inbox.take(ByteBuf.class));
            }
        }
    }

    @Test
    void descriptorsKeepTheirPlaceAmongTheRecords() throws Exception {
        Descriptors before = Descriptors.now();
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start()) {
            int count = 2000;
            pair.sender.eventLoop().submit(() -> {
                for (int i = 0; i < count; i++) {
                    int length = i % 100 == 0 ? 600_000 : i % 50;
                    UnixFileDescriptor[] fds = i % 7 == 0 ? Descriptors.some(1 + i % 3) : new UnixFileDescriptor[0];
                    pair.sender.write(new UnixMessage(record(i, length), fds));
                }
                pair.sender.flush();
                return null;
            }).sync();
            for (int i = 0; i < count; i++) {
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                assertEquals(i % 7 == 0 ? 1 + i % 3 : 0, message.fileDescriptors().size(), "record " + i);
                for (int k = 0; k < message.fileDescriptors().size(); k++) {
                    assertEquals("file " + k, Descriptors.text(message.fileDescriptors().get(k)));
                }
                assertContent(i, i % 100 == 0 ? 600_000 : i % 50, message.content());
                message.release();
            }
        }
        before.assertUnchanged();
    }

    @Test
    void whatIsTooLongIsReportedInItsPlace() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(UnixSocketOption.MAX_MESSAGE_SIZE, 1000).start()) {
            for (int length : new int[] {1000, 1001, 2_000_000, 5}) {
                pair.sender.writeAndFlush(record(length, length));
            }
            assertRecord(1000, 1000, pair.inbox.take(ByteBuf.class));
            assertEquals(1001, pair.inbox.take(MessageTruncatedException.class).messageSize());
            assertEquals(2_000_000, pair.inbox.take(MessageTruncatedException.class).messageSize());
            assertRecord(5, 5, pair.inbox.take(ByteBuf.class));
        }
    }

    @Test
    void longRecordsCanBeDeliveredInParts() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(UnixSocketOption.RECORD_PARTS, true).start()) {
            pair.sender.write(record(1, 1000));
            pair.sender.writeAndFlush(record(2, 3_000_000));
            pair.sender.writeAndFlush(record(3, 0));
            assertRecord(1, 1000, pair.inbox.take(ByteBuf.class));
            ByteBuf whole = Unpooled.buffer();
            UnixRecordPart part;
            do {
                part = pair.inbox.take(UnixRecordPart.class);
                whole.writeBytes(part.content());
                part.release();
            } while (!part.isLast());
            assertRecord(2, 3_000_000, whole);
            assertRecord(3, 0, pair.inbox.take(ByteBuf.class));
        }
    }

    @Test
    void buffersOfTheRingCanBeReleasedInAnyOrderAndThread() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(UnixSocketOption.ZERO_COPY_READS, true).start()) {
            List<Integer> numbers = new ArrayList<>();
            List<ByteBuf> kept = new ArrayList<>();
            Random random = new Random(1);
            int count = 2000;
            for (int i = 0; i < count; i++) {
                pair.sender.writeAndFlush(record(i, 1 + i % 5000));
            }
            for (int i = 0; i < count; i++) {
                numbers.add(i);
                kept.add(pair.inbox.take(ByteBuf.class));
                if (kept.size() > 50 || i >= count - 50) {
                    int index = random.nextInt(kept.size());
                    int number = numbers.remove(index);
                    // On this thread, which is not the event loop.
                    assertRecord(number, 1 + number % 5000, kept.remove(index));
                }
            }
            kept.forEach(ByteBuf::release);
        }
    }

    @Test
    void buffersOfTheRingOutliveTheChannel() throws Exception {
        ByteBuf buffer;
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(UnixSocketOption.ZERO_COPY_READS, true).start()) {
            pair.sender.writeAndFlush(record(1, 1000));
            buffer = pair.inbox.take(ByteBuf.class);
        }
        assertRecord(1, 1000, buffer);
    }

    @Test
    void whatIsInTheRingIsDeliveredBeforeTheEnd() throws Exception {
        try (ChannelPair pair = ChannelPair.ofSharedMemory().with(ChannelOption.AUTO_READ, false).start()) {
            for (int i = 0; i < 10; i++) {
                pair.sender.writeAndFlush(record(i, 100)).sync();
            }
            pair.sender.close().sync();
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < 10; i++) {
                assertRecord(i, 100, pair.inbox.take(ByteBuf.class));
            }
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }

    @Test
    void anAllocationThatFailsLosesNothingSilently() throws Exception {
        int[] lengths = {1, 100, 600_000, 50, 300_000, 5, 7};
        int failures = 0;
        for (int number = 1; failures == number - 1; number++) {
            FailingAllocator allocator = new FailingAllocator();
            try (ChannelPair pair = ChannelPair.ofSharedMemory().with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)) {
                pair.receiver.config().setAllocator(allocator);
                pair.start();
                allocator.failAt(number);
                for (int i = 0; i < lengths.length; i++) {
                    pair.sender.writeAndFlush(new UnixMessage(record(i, lengths[i]), Descriptors.some(i % 2)));
                }
                int lost = 0;
                for (int i = 0; i < lengths.length; i++) {
                    Object arrived = pair.inbox.take();
                    if (arrived instanceof UnixMessage message) {
                        assertEquals(i % 2, message.fileDescriptors().size());
                        assertContent(i, lengths[i], message.content());
                        message.release();
                    } else {
                        assertInstanceOf(OutOfMemoryError.class, arrived);
                        lost++;
                    }
                }
                assertEquals(allocator.hasFailed() ? 1 : 0, lost);
                failures += lost;
            }
            allocator.assertAllReleased();
        }
        assertTrue(failures >= lengths.length, "few allocations have failed: " + failures);
    }
}
