package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

class FailedAllocationTest {
    /** An allocator with memory for a few buffers only. */
    private static final class PoorAllocator extends AbstractByteBufAllocator {
        private int left = 2;

        PoorAllocator() {
            super(true);
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            if (left-- == 0) {
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

    @EachType
    void descriptorsOfABatchThatCannotBeHandedOnAreClosed(SocketType type) throws Exception {
        Descriptors before = Descriptors.now();
        var pair = Channels.pair(type);
        Channel receiver = pair.get(0);
        receiver.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        receiver.config().setAllocator(new PoorAllocator());
        receiver.config().setAutoRead(false);
        RecordingHandler inbox = new RecordingHandler();
        Channels.register(receiver, inbox);
        Channel sender = Channels.register(pair.get(1));
        for (int i = 0; i < 6; i++) {
            sender.writeAndFlush(new UnixMessage(Unpooled.copiedBuffer(new byte[] {1}),
                    UnixFileDescriptor.open(Path.of("/dev/null")))).sync();
        }
        receiver.config().setAutoRead(true);
        Object next = inbox.take();
        while (next instanceof UnixMessage) {
            ((UnixMessage) next).release();
            next = inbox.take();
        }
        Object cause = next;
        assertThrows(OutOfMemoryError.class, () -> {
            throw (Throwable) cause;
        });
        sender.close().sync();
        receiver.close().sync();
        inbox.release();
        before.assertUnchanged();
    }

    /**
     * A message that cannot be copied to a direct buffer is released once, with its descriptors, and its promise fails.
     */
    @EachType
    void messageThatCannotBeCopiedIsReleasedOnce(SocketType type) throws Exception {
        Descriptors before = Descriptors.now();
        var pair = Channels.pair(type);
        Channel sender = Channels.register(pair.get(0));
        PoorAllocator allocator = new PoorAllocator();
        allocator.left = 0;
        sender.config().setAllocator(allocator);
        for (boolean descriptors : new boolean[] {true, false}) {
            ByteBuf content = Unpooled.buffer().writeByte(1);
            UnixFileDescriptor[] fds = descriptors ? Descriptors.some(1) : new UnixFileDescriptor[0];
            allocator.left = 0;
            ChannelFuture written = sender.writeAndFlush(new UnixMessage(content, fds)).await();
            assertInstanceOf(OutOfMemoryError.class, written.cause());
            assertEquals(0, content.refCnt());
            assertEquals(0, Descriptors.countOpen(fds));
        }
        sender.close().sync();
        pair.get(1).unsafe().closeForcibly();
        before.assertUnchanged();
    }
}
