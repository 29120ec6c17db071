package io.github.nettyunix.internal.memory;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;

/** Allocates direct buffers in the memory that the peer reads from, and all others from the channel's allocator. */
final class RingAllocator extends AbstractByteBufAllocator {
    private final Channel channel;
    private final MemoryWriter writer;

    RingAllocator(Channel channel, MemoryWriter writer) {
        super(true);
        this.channel = channel;
        this.writer = writer;
    }

    /** Returns the channel's allocator, or Netty's default one if the channel's allocates in a ring. */
    static ByteBufAllocator ordinary(Channel channel) {
        ByteBufAllocator allocator = channel.alloc();
        return allocator instanceof RingAllocator ? ByteBufAllocator.DEFAULT : allocator;
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
        ByteBufAllocator ordinary = ordinary(channel);
        // Its allocator is where a copy of it would go, which is made to be kept.
        ByteBuf buffer = writer.reserve(initialCapacity, maxCapacity, ordinary);
        if (buffer == null) {
            return ordinary.directBuffer(initialCapacity, maxCapacity);
        }
        try {
            return toLeakAwareBuffer(buffer);
        } catch (Throwable t) {
            // There is no memory to track it; without its owner it would hold the ring for ever.
            buffer.release();
            throw t;
        }
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
        return ordinary(channel).heapBuffer(initialCapacity, maxCapacity);
    }

    @Override
    public boolean isDirectBufferPooled() {
        return false;
    }
}
