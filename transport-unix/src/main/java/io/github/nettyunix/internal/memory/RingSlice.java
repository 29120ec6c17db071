package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.socket.Mapping;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;

import java.nio.ByteBuffer;

/** The bytes of a record where the peer has written them. It keeps the ring mapped. */
final class RingSlice extends UnpooledDirectByteBuf {
    private final Mapping mapping;
    private final long start;
    private final Runnable onRelease;
    private volatile boolean released;

    /**
     * @param bytes the bytes; position and limit may change afterwards
     * @param start the position in the ring at which the record begins
     * @param onRelease called on the thread that releases the bytes
     */
    RingSlice(ByteBuffer bytes, Mapping mapping, long start, Runnable onRelease) {
        super(UnpooledByteBufAllocator.DEFAULT, bytes, bytes.remaining());
        this.mapping = mapping.retain();
        this.start = start;
        this.onRelease = onRelease;
    }

    /** The position in the ring at which the record begins. */
    long start() {
        return start;
    }

    boolean isReleased() {
        return released;
    }

    @Override
    protected void deallocate() {
        super.deallocate();
        released = true;
        try {
            onRelease.run();
        } finally {
            mapping.release();
        }
    }
}
