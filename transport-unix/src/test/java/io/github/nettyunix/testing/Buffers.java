package io.github.nettyunix.testing;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;

import java.util.concurrent.locks.LockSupport;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** An allocator for channels that tracks how much of its memory is in use. */
public final class Buffers {
    private static final long DEADLINE_MILLIS = 5_000;

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);

    public ByteBufAllocator allocator() {
        return allocator;
    }

    /** Waits until nothing is in use: event loops may still have to release something. */
    public void assertAllReleased() {
        long deadline = System.currentTimeMillis() + DEADLINE_MILLIS;
        while (used() != 0 && System.currentTimeMillis() < deadline) {
            LockSupport.parkNanos(1_000_000);
        }
        assertEquals(0, used(), "bytes are left in use");
    }

    private long used() {
        return allocator.metric().usedDirectMemory() + allocator.metric().usedHeapMemory();
    }
}
