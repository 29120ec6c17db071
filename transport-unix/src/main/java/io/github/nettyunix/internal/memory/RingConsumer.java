package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.socket.Mapping;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.internal.PlatformDependent;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/** The side of a ring that reads records. To be used on the channel's event loop. */
final class RingConsumer extends Ring {
    /** There is no record. */
    static final long NONE = -1;

    private final ByteBuffer view = view();
    // Where the next record begins, and the producer's tail as it was last seen.
    private long position;
    private long tail;
    // Up to where the producer may write again.
    private long head;
    // The parts of the ring that handlers hold, in its order; null as long as there has been none.
    private ArrayDeque<RingSlice> slices;
    private boolean ended;

    RingConsumer(Mapping mapping, int capacity) {
        super(mapping, capacity);
    }

    /** Whether there is a record. */
    boolean hasNext() throws CorruptException {
        if (position != tail) {
            return true;
        }
        if (ended) {
            return false;
        }
        long seen = getAcquire(TAIL);
        if (Long.compareUnsigned(seen - tail, head + capacity - tail) > 0 || (seen & 7) != 0) {
            throw new CorruptException("the peer has set the tail of a ring to " + Long.toUnsignedString(seen)
                    + ", between " + tail + " and " + (head + capacity) + " was expected");
        }
        tail = seen;
        return position != seen;
    }

    /** Returns the header of the next record, {@link #NONE} if there is none. */
    long next() throws CorruptException {
        if (!hasNext()) {
            return NONE;
        }
        long header = get(offset(position));
        long length = header & LENGTH;
        if ((header & ~(LENGTH | MORE | ATTACHMENT | PADDING)) != 0
                || (RECORD_HEADER + length + 7 & ~7) > tail - position) {
            throw new CorruptException("the peer has written a record with the header 0x" + Long.toHexString(header)
                    + " where " + (tail - position) + " bytes follow");
        }
        return header;
    }

    /** Appends the bytes of the next record, and continues behind it. */
    void copy(int length, ByteBuf buffer) {
        int offset = offset(position) + RECORD_HEADER;
        if (length > 0) {
            buffer.ensureWritable(length);
            if (PlatformDependent.hasUnsafe() && buffer.hasMemoryAddress()) {
                int index = buffer.writerIndex();
                PlatformDependent.copyMemory(mapping.address() + offset, buffer.memoryAddress() + index, length);
                buffer.writerIndex(index + length);
            } else {
                view.limit(offset + length).position(offset);
                buffer.writeBytes(view);
            }
        }
        skip(length);
    }

    /** Returns the next record's own bytes, which the producer cannot overwrite before they are released. */
    RingSlice slice(int length, Runnable onRelease) {
        int offset = offset(position) + RECORD_HEADER;
        view.limit(offset + length).position(offset);
        RingSlice slice = new RingSlice(UnpooledByteBufAllocator.DEFAULT, view, length, mapping, position, onRelease);
        if (slices == null) {
            slices = new ArrayDeque<>();
        }
        slices.add(slice);
        skip(length);
        return slice;
    }

    void skip(int length) {
        position += space(length);
    }

    /** Whether so much was read that the producer should know before the turn ends. */
    boolean hasMuchToFree() {
        return position - head >= capacity >> 3;
    }

    /** Lets the producer write where nothing is needed any more; returns whether it wants to be woken. */
    boolean free() {
        long before = head;
        long next = position;
        if (slices != null) {
            for (RingSlice first; (first = slices.peek()) != null;) {
                if (!first.isReleased()) {
                    next = first.start;
                    break;
                }
                slices.remove();
            }
        }
        if (next == before) {
            return false;
        }
        head = next;
        setRelease(HEAD, next);
        VarHandle.fullFence();
        return reaches(getAcquire(WAKE_AT_HEAD), before, next);
    }

    /** Asks to be woken by the next record; returns true if it has come meanwhile. */
    boolean await() throws CorruptException {
        if (position != tail) {
            return true;
        }
        setRelease(WAKE_AT_TAIL, tail + 1);
        VarHandle.fullFence();
        return hasNext();
    }

    /** Nothing is wanted beyond what has arrived: tells the producer. */
    void end() throws CorruptException {
        hasNext();
        ended = true;
        setRelease(CLOSED, tail + 1);
    }

    @Override
    void close() {
        if (isOpen()) {
            // Handlers may hold what was read, so it is not free.
            setRelease(CLOSED, position + 1);
            super.close();
        }
    }
}
