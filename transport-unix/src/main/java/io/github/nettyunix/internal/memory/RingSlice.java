package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.socket.Mapping;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;

import java.nio.ByteBuffer;

/**
 * A part of a ring, as a buffer: the bytes of a record where the peer has written them, or where one is built that the
 * peer will read. It keeps the ring mapped. A buffer whose capacity changes moves to memory of its own.
 */
final class RingSlice extends UnpooledDirectByteBuf {
    /** The position in the ring at which the record begins. */
    final long start;

    private final Mapping mapping;
    private final Runnable onRelease;
    private volatile boolean released;

    /**
     * @param bytes the bytes; position and limit may change afterwards
     * @param maxCapacity up to where it may grow, with memory of its own
     * @param start the position in the ring at which the record begins
     * @param onRelease called when the memory is no longer needed, on the thread that releases it
     */
    RingSlice(ByteBufAllocator allocator, ByteBuffer bytes, int maxCapacity, Mapping mapping, long start,
            Runnable onRelease) {
        super(allocator, bytes, maxCapacity);
        this.mapping = mapping.retain();
        this.start = start;
        this.onRelease = onRelease;
    }

    /** Whether the memory is no longer needed. */
    boolean isReleased() {
        return released;
    }

    @Override
    public ByteBuf capacity(int newCapacity) {
        boolean moves = newCapacity != capacity() && !released;
        super.capacity(newCapacity);
        if (moves) {
            leaveRing();
        }
        return this;
    }

    @Override
    protected void deallocate() {
        super.deallocate();
        try {
            if (!released) {
                leaveRing();
            }
        } finally {
            mapping.release();
        }
    }

    private void leaveRing() {
        released = true;
        onRelease.run();
    }
}
