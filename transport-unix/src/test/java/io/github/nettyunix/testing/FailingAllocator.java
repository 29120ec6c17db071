package io.github.nettyunix.testing;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.buffer.UnpooledUnsafeDirectByteBuf;
import io.netty.util.internal.CleanableDirectBuffer;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** An allocator one of whose allocations fails, be it of a new buffer or of more room for one. */
public final class FailingAllocator extends AbstractByteBufAllocator {
    private static final long DEADLINE_MILLIS = 5_000;

    private final AtomicInteger left = new AtomicInteger();
    private final AtomicInteger buffers = new AtomicInteger();
    private volatile boolean failed;

    public FailingAllocator() {
        super(true);
    }

    /** Lets an allocation fail: 1 is the next one, 0 is none. */
    public void failAt(int number) {
        left.set(number);
    }

    /** Whether an allocation has failed. */
    public boolean hasFailed() {
        return failed;
    }

    /** Waits until all buffers are released: event loops may still have to release some. */
    public void assertAllReleased() {
        long deadline = System.currentTimeMillis() + DEADLINE_MILLIS;
        while (buffers.get() != 0 && System.currentTimeMillis() < deadline) {
            LockSupport.parkNanos(1_000_000);
        }
        assertEquals(0, buffers.get(), "buffers are left in use");
    }

    private void allocate() {
        if (left.decrementAndGet() == 0) {
            failed = true;
            throw new OutOfMemoryError("as the test wants it");
        }
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
        allocate();
        ByteBuf buffer = new UnpooledUnsafeDirectByteBuf(this, initialCapacity, maxCapacity) {
            // Called when the buffer grows.
            @Override
            protected CleanableDirectBuffer allocateDirectBuffer(int capacity) {
                allocate();
                return super.allocateDirectBuffer(capacity);
            }

            @Override
            protected void deallocate() {
                super.deallocate();
                buffers.decrementAndGet();
            }
        };
        buffers.incrementAndGet();
        return buffer;
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
        ByteBuf buffer = new UnpooledHeapByteBuf(this, initialCapacity, maxCapacity) {
            @Override
            protected byte[] allocateArray(int capacity) {
                allocate();
                return super.allocateArray(capacity);
            }

            @Override
            protected void deallocate() {
                super.deallocate();
                buffers.decrementAndGet();
            }
        };
        buffers.incrementAndGet();
        return buffer;
    }

    @Override
    public boolean isDirectBufferPooled() {
        return false;
    }
}
