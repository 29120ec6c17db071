package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.socket.Mapping;
import io.netty.buffer.ByteBuf;
import io.netty.util.internal.PlatformDependent;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/** The side of a ring that writes records. To be used on the channel's event loop. */
final class RingProducer extends Ring {
    /** A longer record is divided, so that the consumer copies one piece while the producer copies the next. */
    final int longestPiece;

    private final ByteBuffer view = view();
    // Where the next record goes; what lies before it is published up to there.
    private long tail;
    private long published;
    // The consumer's, as it was last seen.
    private long head;

    RingProducer(Mapping mapping, int capacity) {
        super(mapping, capacity);
        longestPiece = capacity / 4 - RECORD_HEADER;
    }

    /** Whether {@code space} more bytes fit. */
    boolean hasRoom(int space) throws CorruptException {
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
        return capacity - (int) (tail - head);
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

    /** Makes what was written visible to the consumer; returns whether it wants to be woken. */
    boolean publish() {
        long before = published;
        if (tail == before) {
            return false;
        }
        published = tail;
        setRelease(TAIL, tail);
        // The consumer first says where to wake it and then looks at the tail once more. One of the two sees the other.
        VarHandle.fullFence();
        return reaches(getAcquire(WAKE_AT_TAIL), before, tail);
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
