package io.github.nettyunix.record;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.FixedRecvByteBufAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.function.IntPredicate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The process runs out of memory while messages arrive. */
@ExtendWith(LeakCheckExtension.class)
class ReadFailureTest {
    /** Refuses some of the buffers that it is asked for, by their number. */
    private static final class PoorAllocator extends AbstractByteBufAllocator {
        private final IntPredicate refused;
        private volatile boolean poor = true;
        private int count;

        PoorAllocator(IntPredicate refused) {
            super(true);
            this.refused = refused;
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            if (poor && refused.test(count++)) {
                throw new OutOfMemoryError("as the test wants it");
            }
            return UnpooledByteBufAllocator.DEFAULT.directBuffer(initialCapacity, maxCapacity);
        }

        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            return UnpooledByteBufAllocator.DEFAULT.heapBuffer(initialCapacity, maxCapacity);
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void recordWithoutMemoryIsLostAlone(SocketType type) throws Exception {
        var pair = Channels.pair(type);
        Channel receiver = pair.get(0);
        receiver.config().setAllocator(new PoorAllocator(number -> number == 2));
        receiver.config().setAutoRead(false);
        RecordingHandler inbox = new RecordingHandler();
        Channels.register(receiver, inbox);
        Channel sender = Channels.register(pair.get(1), new RecordingHandler());
        for (int i = 0; i < 8; i++) {
            sender.writeAndFlush(ChannelPair.buffer("message " + i)).sync();
        }
        receiver.config().setAutoRead(true);
        for (int i = 0; i < 8; i++) {
            if (i != 2) {
                assertEquals("message " + i, ChannelPair.text(inbox.take()));
            } else {
                inbox.take(OutOfMemoryError.class);
            }
        }
        assertTrue(receiver.isActive());
        sender.close().sync();
        receiver.close().sync();
        Evidence.of("itself", "a " + type + " record for which there is no memory takes no other one with it");
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void descriptorsOfARecordWithoutMemoryAreClosed(SocketType type) throws Exception {
        var pair = Channels.pair(type);
        Channel receiver = pair.get(0);
        receiver.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        receiver.config().setAllocator(new PoorAllocator(number -> number == 0));
        RecordingHandler inbox = new RecordingHandler();
        Channels.register(receiver, inbox);
        Channel sender = Channels.register(pair.get(1), new RecordingHandler());
        sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
        inbox.take(OutOfMemoryError.class);
        sender.close().sync();
        receiver.close().sync();
    }

    @Test
    void datagramsThatCannotBeReadAreReportedOnceAndWaitForMemory() throws Exception {
        var pair = Channels.pair(SocketType.DATAGRAM);
        Channel receiver = pair.get(0);
        PoorAllocator allocator = new PoorAllocator(number -> true);
        receiver.config().setAllocator(allocator);
        // One record per read, each into a buffer that is allocated before.
        receiver.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(100));
        RecordingHandler inbox = new RecordingHandler();
        Channels.register(receiver, inbox);
        Channel sender = Channels.register(pair.get(1), new RecordingHandler());
        sender.writeAndFlush(ChannelPair.buffer("first")).sync();
        inbox.take(OutOfMemoryError.class);
        LoopCpu.assertIdle(receiver.eventLoop());
        // The first delay is 10 ms, and each one is twice as long as the one before.
        int attempts = receiver.eventLoop().submit(() -> allocator.count).get();
        assertTrue(attempts < 30, attempts + " attempts");
        assertTrue(inbox.isEmpty(), "reported again");
        allocator.poor = false;
        assertEquals("first", ChannelPair.text(inbox.take()));
        sender.writeAndFlush(ChannelPair.buffer("second")).sync();
        assertEquals("second", ChannelPair.text(inbox.take()));
        assertTrue(receiver.isActive());
        sender.close().sync();
        receiver.close().sync();
        Evidence.of("itself", "a datagram channel whose reads fail reports it once, does not spin and goes on later");
    }
}
