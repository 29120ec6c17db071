package io.github.nettyunix;

import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.extension.ExtendWith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A record is whole or it is an error; neither ends the channel. */
@ExtendWith(NothingLeft.class)
class RecordSizeLimitTest {
    private static int takeLength(Ends ends) {
        Object message = ends.inbox.take(Object.class);
        ByteBuf content = message instanceof ByteBufHolder holder ? holder.content() : assertInstanceOf(ByteBuf.class, message);
        int length = content.readableBytes();
        ReferenceCountUtil.release(message);
        return length;
    }

    @EachRow({"SEQPACKET, false", "SEQPACKET, true", "DATAGRAM, false", "DATAGRAM, true"})
    void recordAboveTheLimitIsDroppedWithBothSizesNamed(SocketType type, boolean controlData) throws Exception {
        Ends pair = Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData)
                .with(UnixSocketOption.MAX_MESSAGE_SIZE, 1000);
        int[] sizes = {1000, 1001, 0, 5000, 999, 100_000, 1};
        try (Ends ends = pair.start()) {
            int before = Descriptors.open().size();
            for (int size : sizes) {
                ends.sender.write(new UnixMessage(Unpooled.buffer(size).writeZero(size), Descriptors.some(2)));
            }
            ends.sender.writeAndFlush(Ends.buffer("end")).sync();
            for (int size : sizes) {
                if (size <= 1000) {
                    assertEquals(size, takeLength(ends));
                } else {
                    MessageTruncatedException error = ends.inbox.take(MessageTruncatedException.class);
                    assertEquals(size, error.messageSize());
                    assertEquals(1000, error.maxMessageSize());
                    assertEquals(type, error.socketType());
                    assertEquals("read", error.operation());
                    assertTrue(error.getMessage().endsWith("EMSGSIZE (Message too long): a record of " + size
                            + " bytes was dropped, MAX_MESSAGE_SIZE is 1000"), error.getMessage());
                }
            }
            assertEquals("end", ends.text());
            assertTrue(ends.inbox.isEmpty());
            assertTrue(ends.receiver.isActive());
            assertEquals(before, Descriptors.open().size());
        }
        Proof.of("itself", "a " + type + " record above MAX_MESSAGE_SIZE is dropped, both sizes named"
                + (controlData ? ", its descriptors closed" : ""));
    }

    @EachRow({"SEQPACKET, 1", "SEQPACKET, 16", "DATAGRAM, 1", "DATAGRAM, 16"})
    void limitHoldsHoweverManyRecordsAreReadAtOnce(SocketType type, int maxMessagesPerRead) throws Exception {
        Ends pair = Ends.of(type).with(UnixSocketOption.MAX_MESSAGE_SIZE, 9000);
        pair.receiver.config().<MaxMessagesRecvByteBufAllocator>getRecvByteBufAllocator().maxMessagesPerRead(maxMessagesPerRead);
        try (Ends ends = pair.start()) {
            // Large ones before, so that the buffer for the next one is large already.
            for (int size : new int[] {9000, 9000, 9001, 8999, 20_000, 9000}) {
                ends.sender.writeAndFlush(Unpooled.buffer(size).writeZero(size)).sync();
                if (size <= 9000) {
                    assertEquals(size, takeLength(ends));
                } else {
                    assertEquals(size, ends.inbox.take(MessageTruncatedException.class).messageSize());
                }
            }
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void outboundRecordAboveTheKernelsLimitFailsAlone(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).withSender(ChannelOption.SO_SNDBUF, 20_000).start()) {
            int most = ends.sender.config().getOption(ChannelOption.SO_SNDBUF) - 32;
            UnixFileDescriptor[] fds = Descriptors.some(2);
            ChannelFuture before = ends.sender.write(Ends.buffer("before"));
            ChannelFuture largest = ends.sender.write(Unpooled.buffer(most).writeZero(most));
            ChannelFuture above = ends.sender.write(new UnixMessage(Unpooled.buffer(most + 1).writeZero(most + 1), fds));
            ChannelFuture after = ends.sender.write(Ends.buffer("after"));
            ends.sender.flush();
            before.sync();
            largest.sync();
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, Ends.failure(above));
            after.sync();
            assertEquals("EMSGSIZE", error.errnoName());
            assertEquals("write", error.operation());
            assertTrue(above.cause().getMessage().endsWith("the record has " + (most + 1) + " bytes, SO_SNDBUF allows " + most),
                    above.cause().getMessage());
            assertEquals(0, Descriptors.countOpen(fds));
            assertEquals("before", ends.text());
            assertEquals(most, takeLength(ends));
            assertEquals("after", ends.text());
            assertTrue(ends.inbox.isEmpty());
        }
        Proof.of("itself", "a " + type + " record above SO_SNDBUF fails its own write, both sizes named");
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void limitIsPositive(SocketType type) throws Exception {
        Ends ends = Ends.of(type);
        assertThrows(IllegalArgumentException.class, () -> ends.with(UnixSocketOption.MAX_MESSAGE_SIZE, 0));
        assertEquals(8 << 20, ends.receiver.config().getOption(UnixSocketOption.MAX_MESSAGE_SIZE));
        ends.start().close();
    }
}
