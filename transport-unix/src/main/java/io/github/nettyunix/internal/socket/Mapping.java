package io.github.nettyunix.internal.socket;

import io.netty.util.AbstractReferenceCounted;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import io.netty.util.ResourceLeakTracker;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory that is a part of a file, and shared with all others that map the file. It is unmapped when the last reference
 * is released. An access to pages that the file does not have raises SIGBUS, so the caller checks the size and
 * {@linkplain MemoryFile#sealedSize that it remains}. Thread-safe.
 *
 * <pre>{@code
 * long address = Mapping.mapRing(fd, header, data);
 * if (Mapping.isErrno(address)) throw SocketErrors.newException(Operation.MMAP, ..., (int) address, null);
 * Mapping ring = new Mapping(address, header + 2 * data, true);
 * }</pre>
 */
public final class Mapping extends AbstractReferenceCounted {
    private static final ResourceLeakDetector<Mapping> LEAK_DETECTOR =
            ResourceLeakDetectorFactory.instance().newResourceLeakDetector(Mapping.class);

    private final long address;
    private final int length;
    private final ByteBuffer buffer;
    private final ByteBuffer writableBuffer;
    private final ResourceLeakTracker<Mapping> leak;

    /** Takes ownership of {@code length} bytes that {@link #map} or {@link #mapRing} has returned the address of. */
    public Mapping(long address, int length, boolean writable) {
        this.address = address;
        this.length = length;
        ByteBuffer bytes = NativeMemory.buffer0(address, length);
        // A write to pages that are mapped for reading would end the process.
        writableBuffer = bytes.order(ByteOrder.nativeOrder());
        buffer = writable ? writableBuffer : bytes.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
        leak = LEAK_DETECTOR.track(this);
    }

    /**
     * Maps a part of a file. The descriptor can be closed afterwards.
     *
     * @param offset a multiple of {@link MemoryFile#pageSize}
     * @return the address; otherwise {@link #isErrno}
     */
    public static long map(int fd, long offset, int length, boolean writable) {
        return MemoryFile.map(fd, offset, length, writable);
    }

    /**
     * Maps the first {@code header + data} bytes of a file for reading and writing, and {@code data} once more right
     * behind them, so that nothing in it wraps. The descriptor can be closed afterwards.
     *
     * @param header a multiple of {@link MemoryFile#pageSize}, as {@code data} is
     * @return the address of {@code header + 2 * data} bytes; otherwise {@link #isErrno}
     */
    public static long mapRing(int fd, int header, int data) {
        return MemoryFile.mapRing(fd, header, data);
    }

    /** Whether this is a negative errno, and not an address. */
    public static boolean isErrno(long result) {
        return NativeMemory.isErrno(result);
    }

    /** Returns whether the platform has sealed memory files and can map them as a ring. Tried once. */
    public static boolean isSupported() {
        return Support.RING;
    }

    /** The memory, in native byte order. It must not be used after the last reference was released. */
    public ByteBuffer buffer() {
        checkReferences();
        return buffer;
    }

    /** The memory for a caller that does not write to it, unless it is mapped for that. */
    public ByteBuffer writableBuffer() {
        checkReferences();
        return writableBuffer;
    }

    /** Where the memory begins. It must not be used after the last reference was released. */
    public long address() {
        checkReferences();
        return address;
    }

    private void checkReferences() {
        if (refCnt() == 0) {
            throw new IllegalReferenceCountException(0);
        }
    }

    @Override
    public Mapping retain() {
        super.retain();
        return this;
    }

    @Override
    public Mapping touch(Object hint) {
        if (leak != null) {
            leak.record(hint);
        }
        return this;
    }

    @Override
    protected void deallocate() {
        NativeMemory.unmap(address, length);
        if (leak != null) {
            leak.close(this);
        }
    }

    /** Loaded when it is first asked for. */
    private static final class Support {
        private static final boolean RING = NativeLibrary.unavailabilityCause() == null && tryRing();

        private static boolean tryRing() {
            int page = MemoryFile.pageSize();
            int seals = MemoryFile.SEAL_SHRINK | MemoryFile.SEAL_GROW | MemoryFile.SEAL_SEAL;
            int fd = MemoryFile.create("nettyunix", 2L * page, seals);
            if (fd < 0) {
                return false;
            }
            try {
                return MemoryFile.sealedSize(fd, seals) == 2L * page && isRing(fd, page);
            } finally {
                FileDescriptors.close(fd);
            }
        }

        private static boolean isRing(int fd, int page) {
            long address = mapRing(fd, page, page);
            if (isErrno(address)) {
                return false;
            }
            Mapping ring = new Mapping(address, 3 * page, true);
            try {
                return ring.buffer.put(2 * page, (byte) 1).get(page) == 1;
            } finally {
                ring.release();
            }
        }
    }
}
