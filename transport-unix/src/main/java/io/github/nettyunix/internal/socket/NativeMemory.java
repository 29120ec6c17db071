package io.github.nettyunix.internal.socket;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Zeroed memory outside the heap. The system allocates its pages one by one when they are touched, so that an array of
 * receive slots can be large enough for the largest messages at no cost. Not thread-safe.
 */
public final class NativeMemory {
    private long address;
    private final long size;

    NativeMemory(long size) {
        this(size, map(size));
        if (isErrno(address)) {
            throw newOutOfMemoryError(size, (int) address);
        }
    }

    private NativeMemory(long size, long address) {
        this.size = size;
        this.address = address;
    }

    /**
     * Reserves {@code most} blocks of {@code size} bytes, or fewer if the system does not grant that much: it can
     * count address space as if it were memory.
     */
    static NativeMemory reserve(long size, int most) {
        for (int count = most;; count /= 2) {
            long address = map(size * count);
            if (!isErrno(address)) {
                return new NativeMemory(size * count, address);
            }
            if (count == 1) {
                throw newOutOfMemoryError(size, (int) address);
            }
        }
    }

    /** An address is negative too where it is in the upper half of 32 bits. */
    static boolean isErrno(long result) {
        return result < 0 && result > -4096;
    }

    private static OutOfMemoryError newOutOfMemoryError(long size, int errno) {
        String reason = Errno.name(-errno) + " (" + Errno.message(-errno) + ')';
        return new OutOfMemoryError("mmap of " + size + " bytes: " + reason + (errno == -Errno.EAGAIN
                ? ": mlockall(MCL_FUTURE) locks what is mapped, and RLIMIT_MEMLOCK does not allow so much" : ""));
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

    /** Returns the complete pages in this range to the system; they read as zero again. */
    void discard(long offset, long length) {
        discard0(address + offset, length);
    }

    void free() {
        if (address != 0) {
            unmap(address, size);
            address = 0;
        }
    }

    /** The address, or a negative errno. */
    private static native long map(long size);

    static native int unmap(long address, long size);

    private static native int discard0(long address, long length);

    static native ByteBuffer buffer0(long address, int size);
}
