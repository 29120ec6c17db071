package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.ChannelSettings;
import io.github.nettyunix.internal.socket.Mapping;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One direction of a connection: a queue of records in a file in memory, with one producer and one consumer. The file
 * has a header and the data. Positions count bytes and never wrap; the data is mapped twice in a row, so records do not
 * wrap either. Each word of the header is written by one side only. {@code docs/shared-memory.md} draws the layout.
 *
 * <p>The peer can write to every byte at any time. What it may have written is read once and checked before use.
 */
abstract class Ring {
    /** The length of the header, a multiple of every page size. */
    static final int HEADER = 1 << 16;
    static final int MIN_CAPACITY = ChannelSettings.MIN_SHARED_MEMORY_CAPACITY;
    static final int MAX_CAPACITY = ChannelSettings.MAX_SHARED_MEMORY_CAPACITY;

    /** Words of the producer: where the next record begins, and at which head it wants to be woken. */
    static final int TAIL = 0;
    static final int WAKE_AT_HEAD = 8;
    /**
     * Words of the consumer: what it no longer needs, at which tail it wants to be woken, and, once it reads no more,
     * up to where it has read, plus one.
     */
    static final int HEAD = 128;
    static final int WAKE_AT_TAIL = 136;
    static final int CLOSED = 144;

    /** Flags in the upper half of a record's header, whose lower half is the length. */
    static final long MORE = 1L << 32;
    static final long ATTACHMENT = 1L << 33;
    static final long PADDING = 1L << 34;
    static final long LENGTH = 0xffff_ffffL;

    static final int RECORD_HEADER = Long.BYTES;

    private static final VarHandle WORD =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final ByteBuffer UNMAPPED = ByteBuffer.allocateDirect(0);

    /** What the peer has written cannot be right. */
    static final class CorruptException extends Exception {
        private static final long serialVersionUID = 1;

        CorruptException(String message) {
            super(message, null, false, false);
        }
    }

    final int capacity;
    final Mapping mapping;
    private ByteBuffer memory;

    /** Takes ownership of the mapping. */
    Ring(Mapping mapping, int capacity) {
        this.mapping = mapping;
        this.capacity = capacity;
        memory = mapping.buffer();
    }

    static boolean isCapacity(long capacity) {
        return capacity >= MIN_CAPACITY && capacity <= MAX_CAPACITY && Long.bitCount(capacity) == 1;
    }

    /** The number of bytes that a record of this length takes in the ring. */
    static int space(int length) {
        return RECORD_HEADER + length + 7 & ~7;
    }

    /** Whether a word that has changed from one position to another has reached {@code wakeAt}. */
    static boolean reaches(long wakeAt, long from, long to) {
        return Long.compareUnsigned(to - wakeAt, to - from) < 0;
    }

    /** The offset of a position in the mapping. */
    final int offset(long position) {
        return HEADER + ((int) position & capacity - 1);
    }

    /** The mapped memory, whose position and limit the caller may change; empty once the ring is closed. */
    final ByteBuffer view() {
        return memory.duplicate();
    }

    final long get(int offset) {
        return (long) WORD.get(memory, offset);
    }

    final long getAcquire(int offset) {
        return (long) WORD.getAcquire(memory, offset);
    }

    final void set(int offset, long value) {
        WORD.set(memory, offset, value);
    }

    final void setRelease(int offset, long value) {
        WORD.setRelease(memory, offset, value);
    }

    final boolean isOpen() {
        return memory != UNMAPPED;
    }

    /** Unmaps the memory once nobody holds a part of it. Any access through this object fails from now on. */
    void close() {
        if (isOpen()) {
            memory = UNMAPPED;
            mapping.release();
        }
    }
}
