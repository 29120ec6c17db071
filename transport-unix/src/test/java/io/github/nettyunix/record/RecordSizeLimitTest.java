package io.github.nettyunix.record;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A record is whole or it is an error; neither ends the channel. */
@ExtendWith(LeakCheckExtension.class)
class RecordSizeLimitTest {
    private static int takeLength(ChannelPair pair) {
        Object message = pair.inbox.take(Object.class);
        ByteBuf content = message instanceof ByteBufHolder holder ? holder.content()
                : assertInstanceOf(ByteBuf.class, message);
        int length = content.readableBytes();
        ReferenceCountUtil.release(message);
        return length;
    }

    @EachRow({"SEQPACKET, false", "SEQPACKET, true", "DATAGRAM, false", "DATAGRAM, true"})
    void recordAboveTheLimitIsDroppedWithBothSizesNamed(SocketType type, boolean controlData) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData)
                .with(UnixSocketOption.MAX_MESSAGE_SIZE, 1000);
        int[] sizes = {1000, 1001, 0, 5000, 999, 100_000, 1};
        try (ChannelPair pair = prepared.start()) {
            int before = Descriptors.open().size();
            for (int size : sizes) {
                pair.sender.write(new UnixMessage(Unpooled.buffer(size).writeZero(size), Descriptors.some(2)));
            }
            pair.sender.writeAndFlush(ChannelPair.buffer("end")).sync();
            for (int size : sizes) {
                if (size <= 1000) {
                    assertEquals(size, takeLength(pair));
                } else {
                    MessageTruncatedException error = pair.inbox.take(MessageTruncatedException.class);
                    assertEquals(size, error.messageSize());
                    assertEquals(1000, error.maxMessageSize());
                    assertEquals(type, error.socketType());
                    assertEquals("read", error.operation());
                    assertTrue(error.getMessage().endsWith("EMSGSIZE (Message too long): a record of " + size
                            + " bytes was dropped, MAX_MESSAGE_SIZE is 1000"), error.getMessage());
                }
            }
            assertEquals("end", pair.text());
            assertTrue(pair.inbox.isEmpty());
            assertTrue(pair.receiver.isActive());
            assertEquals(before, Descriptors.open().size());
        }
        Evidence.of("itself", "a " + type + " record above MAX_MESSAGE_SIZE is dropped, both sizes named"
                + (controlData ? ", its descriptors closed" : ""));
    }

    @EachRow({"SEQPACKET, 1", "SEQPACKET, 16", "DATAGRAM, 1", "DATAGRAM, 16"})
    void limitHoldsHoweverManyRecordsAreReadAtOnce(SocketType type, int maxMessagesPerRead) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.MAX_MESSAGE_SIZE, 9000);
        prepared.receiver.config().<MaxMessagesRecvByteBufAllocator>getRecvByteBufAllocator()
                .maxMessagesPerRead(maxMessagesPerRead);
        try (ChannelPair pair = prepared.start()) {
            // Large records first, so that the buffer for the next one is already large.
            for (int size : new int[] {9000, 9000, 9001, 8999, 20_000, 9000}) {
                pair.sender.writeAndFlush(Unpooled.buffer(size).writeZero(size)).sync();
                if (size <= 9000) {
                    assertEquals(size, takeLength(pair));
                } else {
                    assertEquals(size, pair.inbox.take(MessageTruncatedException.class).messageSize());
                }
            }
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void outboundRecordAboveTheKernelsLimitFailsAlone(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.SO_SNDBUF, 20_000).start()) {
            int most = pair.sender.config().getOption(ChannelOption.SO_SNDBUF) - 32;
            UnixFileDescriptor[] fds = Descriptors.some(2);
            ChannelFuture before = pair.sender.write(ChannelPair.buffer("before"));
            ChannelFuture largest = pair.sender.write(Unpooled.buffer(most).writeZero(most));
            ChannelFuture above = pair.sender.write(new UnixMessage(Unpooled.buffer(most + 1).writeZero(most + 1),
                    fds));
            ChannelFuture after = pair.sender.write(ChannelPair.buffer("after"));
            pair.sender.flush();
            before.sync();
            largest.sync();
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(above));
            after.sync();
            assertEquals("EMSGSIZE", error.errnoName());
            assertEquals("write", error.operation());
            assertTrue(above.cause().getMessage().endsWith("the record has " + (most + 1) + " bytes, SO_SNDBUF allows "
                    + most), above.cause().getMessage());
            assertEquals(0, Descriptors.countOpen(fds));
            assertEquals("before", pair.text());
            assertEquals(most, takeLength(pair));
            assertEquals("after", pair.text());
            assertTrue(pair.inbox.isEmpty());
        }
        Evidence.of("itself", "a " + type + " record above SO_SNDBUF fails its own write, both sizes named");
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void limitIsPositive(SocketType type) throws Exception {
        ChannelPair pair = ChannelPair.of(type);
        assertThrows(IllegalArgumentException.class, () -> pair.with(UnixSocketOption.MAX_MESSAGE_SIZE, 0));
        assertEquals(8 << 20, pair.receiver.config().getOption(UnixSocketOption.MAX_MESSAGE_SIZE));
        pair.start().close();
    }

    @EachRow({"SEQPACKET", "DATAGRAM"})
    @EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: only Linux has credentials in messages")
    void recordAboveTheLimitNamesItsSender(SocketType type) throws Exception {
        Setup setup = new Setup(type, true, true);
        try (PeerConnection connection = PeerConnection.in(setup).firstOption(UnixSocketOption.SO_PASSCRED, true)
                .option(UnixSocketOption.MAX_MESSAGE_SIZE, 10).start("""
                input()
                for _ in range(2):
                    send(sock, b"more than ten bytes", [], peer)
                    send(sock, b"short", [], peer)
                wait_for_end()
                """)) {
            connection.python().say("go");
            for (int i = 0; i < 2; i++) {
                MessageTruncatedException error = connection.inbox().take(MessageTruncatedException.class);
                assertEquals(connection.python().pid(), error.credentials().pid());
                assertTrue(error.getMessage().contains("pid " + connection.python().pid()), error.getMessage());
                UnixMessage next = connection.inbox().take(UnixMessage.class);
                assertEquals(type == SocketType.DATAGRAM ? ((UnixDatagramPacket) next).sender() : null, error.sender());
                next.release();
            }
            connection.end();
        }
        Evidence.of("CPython", "the error for a " + type + " record above MAX_MESSAGE_SIZE names its sender");
    }

    /** The memory of a slot is returned to the kernel, as after a large record that was accepted. */
    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void recordAboveTheLimitLeavesNoMemoryBehind(SocketType type) throws Exception {
        int limit = 300_000;
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.MAX_MESSAGE_SIZE, limit)
                .with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.SO_SNDBUF, limit + 10_000);
        try (ChannelPair pair = prepared.start()) {
            if (pair.sender.config().getOption(ChannelOption.SO_SNDBUF) - 32 <= limit) {
                Assumptions.abort("net.core.wmem_max allows no such record");
            }
            long before = slotMemory(pair.receiver);
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < 5; i++) {
                pair.sender.write(ChannelPair.buffer("x"));
                pair.sender.writeAndFlush(Unpooled.buffer(limit + 1).writeZero(limit + 1)).sync();
                assertEquals(1, takeLength(pair));
                assertEquals(limit + 1, pair.inbox.take(MessageTruncatedException.class).messageSize());
            }
            long after = slotMemory(pair.receiver);
            assertTrue(after < before + limit / 2, before + " bytes before, " + after + " after");
        }
    }

    /** Returns how many bytes of its receive slots a channel's event loop keeps in memory. */
    private static long slotMemory(Channel channel) throws Exception {
        return channel.eventLoop().submit(() -> {
            ReceiveBatch batch = ReceiveBatch.current();
            Field data = ReceiveBatch.class.getDeclaredField("data");
            data.setAccessible(true);
            Object memory = data.get(batch);
            if (memory == null) {
                return 0L;
            }
            Field addressField = memory.getClass().getDeclaredField("address");
            addressField.setAccessible(true);
            Field sizeField = memory.getClass().getDeclaredField("size");
            sizeField.setAccessible(true);
            try (FileChannel pages = FileChannel.open(Path.of("/proc/self/pagemap"))) {
                ByteBuffer entries = ByteBuffer.allocate((int) (sizeField.getLong(memory) / 4096 * Long.BYTES));
                entries.order(ByteOrder.nativeOrder());
                pages.read(entries, addressField.getLong(memory) / 4096 * Long.BYTES);
                entries.flip();
                long present = 0;
                while (entries.hasRemaining()) {
                    present += entries.getLong() >>> 63;
                }
                return present * 4096;
            }
        }).get();
    }
}
