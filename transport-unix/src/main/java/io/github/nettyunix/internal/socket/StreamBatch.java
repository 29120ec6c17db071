package io.github.nettyunix.internal.socket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer.MessageProcessor;
import io.netty.channel.unix.IovArray;
import io.netty.channel.unix.Limits;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.internal.PlatformDependent;

import java.util.Arrays;

/**
 * Bytes of a stream to send, from as many buffers as are at the head of a queue. Small buffers are merged: for the
 * kernel, another {@code iovec} costs more than copying a few bytes to memory that is in the cache. Each thread has one
 * batch, which serves all of its channels.
 */
public final class StreamBatch implements MessageProcessor {
    /** More in one call would only make the kernel walk a longer array: it takes about SO_SNDBUF. */
    private static final long MAX_BYTES = 1 << 20;
    /** Up to this length a buffer is copied. */
    private static final int SMALL = 512;
    private static final int COPY_CAPACITY = 1 << 16;

    private static final FastThreadLocal<StreamBatch> CURRENT = new FastThreadLocal<>() {
        @Override
        protected StreamBatch initialValue() {
            return new StreamBatch();
        }

        @Override
        protected void onRemoval(StreamBatch batch) {
            batch.vectors.release();
            batch.copy.release();
        }
    };

    private final IovArray vectors = new IovArray(Limits.IOV_MAX);
    private final ByteBuf copy = Unpooled.directBuffer(COPY_CAPACITY, COPY_CAPACITY);
    // The start of the copies that have no vector yet.
    private int start;
    // The end of each buffer that is not empty, in bytes from the start.
    private long[] ends = new long[256];
    private int count;

    private StreamBatch() {
    }

    /** The calling thread's batch, emptied. */
    public static StreamBatch current() {
        StreamBatch batch = CURRENT.get();
        batch.vectors.clear();
        batch.vectors.maxBytes(MAX_BYTES);
        batch.copy.clear();
        batch.start = 0;
        batch.count = 0;
        return batch;
    }

    /** Adds a buffer. Returns false if there is not enough room, or if the message is not a buffer. */
    @Override
    public boolean processMessage(Object message) {
        if (!(message instanceof ByteBuf)) {
            return false;
        }
        ByteBuf buffer = (ByteBuf) message;
        int index = buffer.readerIndex();
        int length = buffer.writerIndex() - index;
        if (length == 0) {
            return true;
        }
        addEnd(length);
        if (length > SMALL) {
            return endCopies() && vectors.add(buffer, index, length);
        }
        int end = copy.writerIndex();
        if (length > COPY_CAPACITY - end) {
            return false;
        }
        if (PlatformDependent.hasUnsafe() && buffer.hasMemoryAddress()) {
            PlatformDependent.copyMemory(buffer.memoryAddress() + index, copy.memoryAddress() + end, length);
            copy.writerIndex(end + length);
        } else {
            copy.writeBytes(buffer, index, length);
        }
        return true;
    }

    /** Called for each buffer, also for one that is then left for the next batch, wholly or in part. */
    private void addEnd(int length) {
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, 2 * count);
        }
        ends[count] = (count == 0 ? 0 : ends[count - 1]) + length;
        count++;
    }

    /** Returns how many buffers, without empty ones, end within the first bytes. */
    public int buffers(long bytes) {
        if (count > 0 && ends[count - 1] == bytes) {
            return count;
        }
        int index = Arrays.binarySearch(ends, 0, count, bytes);
        return index < 0 ? -(index + 1) : index + 1;
    }

    /** Writes to the socket; the number of bytes, 0 if all buffers were empty, or a negative errno. */
    public long send(UnixSocket socket) {
        endCopies();
        return vectors.count() == 0 ? 0 : socket.send(vectors.memoryAddress(0), vectors.count());
    }

    /** Returns false, before copying, if there is no room for one more vector. */
    private boolean endCopies() {
        int length = copy.writerIndex() - start;
        if (length > 0) {
            if (!vectors.add(copy, start, length)) {
                copy.writerIndex(start);
                return false;
            }
            start = copy.writerIndex();
        }
        return true;
    }
}
