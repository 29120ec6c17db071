package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.socket.Mapping;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.internal.PlatformDependent;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * The side of a ring that writes records: it copies them, or they are built in place, in memory that was reserved. To
 * be used on the channel's event loop.
 */
final class RingProducer extends Ring {
    /** A longer record is divided, so that the consumer copies one piece while the producer copies the next. */
    final int longestPiece;

    private final ByteBuffer view = view();
    // Where the next record goes; what lies before it is published up to there.
    private long tail;
    private long published;
    // The consumer's, as it was last seen.
    private long head;
    // Records that are being built in place, at the end of the ring; null as long as there has been none.
    private ArrayDeque<RingSlice> reserved;
    // The memory of records that were built in place, as long as somebody holds it; null as reserved is.
    private ArrayDeque<RingSlice> held;

    RingProducer(Mapping mapping, int capacity) {
        super(mapping, capacity);
        longestPiece = capacity / 4 - RECORD_HEADER;
    }

    /** Whether {@code space} more bytes fit. What is still reserved cannot be written in place any more. */
    boolean hasRoom(int space) throws CorruptException {
        if (reserved != null) {
            giveUpReserved();
        }
        return fits(space);
    }

    private boolean fits(int space) throws CorruptException {
        if (free() >= space) {
            return true;
        }
        long seen = getAcquire(HEAD);
        if (Long.compareUnsigned(seen - head, published - head) > 0 || (seen & 7) != 0) {
            throw new CorruptException("the peer has set the head of a ring to " + Long.toUnsignedString(seen)
                    + ", between " + head + " and " + published + " was expected");
        }
        head = seen;
        return free() >= space;
    }

    private int free() {
        return capacity - (int) (tail - (held == null ? head : firstNeeded()));
    }

    /** Returns where the memory begins that the consumer, or somebody here, still needs. */
    private long firstNeeded() {
        for (RingSlice first; (first = held.peek()) != null; held.remove()) {
            if (!first.isReleased()) {
                return first.start - head < 0 ? first.start : head;
            }
        }
        return head;
    }

    /** Writes a record, or a piece of one, for which there is room. */
    void put(long flags, ByteBuf content, int index, int length) {
        int offset = offset(tail);
        if (length > 0) {
            if (PlatformDependent.hasUnsafe() && content.hasMemoryAddress()) {
                PlatformDependent.copyMemory(content.memoryAddress() + index,
                        mapping.address() + offset + RECORD_HEADER, length);
            } else {
                view.limit(offset + RECORD_HEADER + length).position(offset + RECORD_HEADER);
                content.getBytes(index, view);
            }
        }
        set(offset, flags | length);
        tail += space(length);
    }

    // ---- records that are built in place ----------------------------------------------------------------------------

    /**
     * Returns memory for the record that follows all others, without content; {@code null} if there is no room.
     *
     * @param onRelease called when somebody may have waited for this memory, on any thread
     */
    RingSlice reserve(int length, int maxLength, ByteBufAllocator allocator, Runnable onRelease)
            throws CorruptException {
        if (reserved == null) {
            reserved = new ArrayDeque<>();
            held = new ArrayDeque<>();
        }
        dropReleased();
        if (length > longestPiece || !fits(space(length))) {
            return null;
        }
        int offset = offset(tail) + RECORD_HEADER;
        view.limit(offset + length).position(offset);
        RingSlice slice = new RingSlice(allocator, view, maxLength, mapping, tail, onRelease);
        reserved.add(slice);
        tail += space(length);
        slice.clear();
        return slice;
    }

    /**
     * Gives back the memory behind these bytes if they are in the last of what is reserved, and nobody else can use it.
     *
     * @return whether they are there
     */
    boolean trim(ByteBuf content) {
        RingSlice last = reserved == null ? null : reserved.peekLast();
        if (last == null || !isAt(last, content)) {
            return false;
        }
        if (last.refCnt() == 1) {
            tail = last.start + space(content.readableBytes());
        }
        return true;
    }

    /**
     * Whether these bytes are in memory that is still reserved, so that they need not be copied. What they leave unused
     * becomes a record that the consumer skips, which must not overwrite what somebody holds.
     */
    boolean isInPlace(ByteBuf content) {
        if (reserved != null) {
            for (RingSlice slice : reserved) {
                if (isAt(slice, content)) {
                    return slice.refCnt() == 1 || space(slice.capacity()) == space(content.readableBytes());
                }
            }
        }
        return false;
    }

    private boolean isAt(RingSlice slice, ByteBuf content) {
        return content.hasMemoryAddress() && content.memoryAddress() + content.readerIndex()
                == mapping.address() + offset(slice.start) + RECORD_HEADER;
    }

    /** Makes a record of bytes that are {@linkplain #isInPlace in place}. */
    void commit(long flags, ByteBuf content) {
        RingSlice slice = reserved.remove();
        while (!isAt(slice, content)) {
            pad(slice, slice.start);
            slice = reserved.remove();
        }
        int length = content.readableBytes();
        set(offset(slice.start), flags | length);
        pad(slice, slice.start + space(length));
    }

    /** Gives up what was reserved: the consumer finds padding there. Buffers that are still held stay valid. */
    private void giveUpReserved() {
        dropReleased();
        for (RingSlice slice; (slice = reserved.poll()) != null;) {
            pad(slice, slice.start);
        }
    }

    /** Lets the consumer skip the memory between a position and what was reserved next. */
    private void pad(RingSlice slice, long from) {
        RingSlice next = reserved.peek();
        int rest = (int) ((next == null ? tail : next.start) - from);
        if (rest > 0) {
            set(offset(from), PADDING | rest - RECORD_HEADER);
        }
        held.add(slice);
    }

    private void dropReleased() {
        for (RingSlice last; (last = reserved.peekLast()) != null && last.isReleased();) {
            reserved.removeLast();
            tail = last.start;
        }
    }

    // ---- the consumer -----------------------------------------------------------------------------------------------

    /** Makes what was written visible to the consumer; returns whether it wants to be woken. */
    boolean publish() {
        RingSlice unwritten = reserved == null ? null : reserved.peek();
        long before = published;
        long end = unwritten == null ? tail : unwritten.start;
        if (end == before) {
            return false;
        }
        published = end;
        setRelease(TAIL, end);
        // The consumer first says where to wake it and then looks at the tail once more. One of the two sees the other.
        VarHandle.fullFence();
        return reaches(getAcquire(WAKE_AT_TAIL), before, end);
    }

    /**
     * Asks to be woken when there is room, of which there is none; returns true if there is meanwhile. Everything must
     * be published.
     */
    boolean awaitRoom(int space) throws CorruptException {
        // Some more, so that the two sides do not wake one another for every record.
        setRelease(WAKE_AT_HEAD, tail + Math.max(space, capacity / 4) - capacity);
        VarHandle.fullFence();
        return hasRoom(space);
    }

    /** Whether the consumer has not read everything that was published. */
    boolean isUnread() {
        long closed = getAcquire(CLOSED);
        return (closed == 0 ? getAcquire(HEAD) : closed - 1) != published;
    }

    /** Whether the consumer will take no more. */
    boolean isConsumerClosed() {
        return getAcquire(CLOSED) != 0;
    }
}
