package io.github.nettyunix.socket;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Zeroed memory outside the heap that costs nothing until it is touched: pages come from the system one by one. So an array
 * of receive slots can be as large as the largest messages without being paid for. Not thread-safe.
 */
final class NativeMemory {
    private long address;
    private final long size;

    NativeMemory(long size) {
        this(size, map(size));
        if (address == 0) {
            throw new OutOfMemoryError("cannot reserve " + size + " bytes of address space");
        }
    }

    private NativeMemory(long size, long address) {
        this.size = size;
        this.address = address;
    }

    /** {@code null} if the system does not give so much: it can be told to count address space as if it were memory. */
    static NativeMemory tryReserve(long size) {
        long address = map(size);
        return address == 0 ? null : new NativeMemory(size, address);
    }

    long address() {
        return address;
    }

    long size() {
        return size;
    }

    /** A view of {@code length} bytes at {@code offset}; it must not be used after {@link #free()}. */
    ByteBuffer buffer(long offset, int length) {
        return buffer0(address + offset, length).order(ByteOrder.nativeOrder());
    }

    /** Gives the whole pages in this range back to the system; they read as zero again. */
    void discard(long offset, long length) {
        discard0(address + offset, length);
    }

    void free() {
        if (address != 0) {
            unmap(address, size);
            address = 0;
        }
    }

    private static native long map(long size);

    private static native int unmap(long address, long size);

    private static native int discard0(long address, long length);

    private static native ByteBuffer buffer0(long address, int size);
}
