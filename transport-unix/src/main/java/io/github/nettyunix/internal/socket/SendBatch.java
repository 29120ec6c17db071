package io.github.nettyunix.internal.socket;

import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.IovArray;
import io.netty.channel.unix.Limits;
import io.netty.util.concurrent.FastThreadLocal;

import java.nio.ByteBuffer;

/**
 * Messages to send: their bytes, recipients, descriptors and credentials, in the layout that {@code send_batch.c}
 * expects. Each thread has one batch, which serves all of its channels; its content is valid until the next
 * {@link #clear()}.
 */
public final class SendBatch {
    /** The most messages that one batch takes. */
    public static final int CAPACITY = 64;

    // struct outbound_message, drawn in send_batch.c
    private static final int FIRST_VECTOR = 0;
    private static final int VECTORS = 4;
    private static final int FD_COUNT = 8;
    private static final int HAS_CREDENTIALS = 12;
    private static final int PID = 16;
    private static final int UID = 20;
    private static final int GID = 24;
    private static final int NAME_LENGTH = 28;
    private static final int NAME = 32;
    private static final int FDS = 144;
    private static final int SIZE = 2384;

    private static final FastThreadLocal<SendBatch> CURRENT = new FastThreadLocal<>() {
        @Override
        protected SendBatch initialValue() {
            return new SendBatch();
        }

        @Override
        protected void onRemoval(SendBatch batch) {
            batch.memory.free();
            batch.vectors.release();
        }
    };

    private final NativeMemory memory = new NativeMemory((long) CAPACITY * SIZE);
    private final ByteBuffer messages = memory.buffer(0, CAPACITY * SIZE);
    private final IovArray vectors = new IovArray(Limits.IOV_MAX);
    private int count;
    // The number of bytes before each message, and of all of them.
    private final long[] starts = new long[CAPACITY + 1];
    private int descriptors;

    private SendBatch() {
    }

    /** The calling thread's batch, emptied. */
    public static SendBatch current() {
        SendBatch batch = CURRENT.get();
        batch.clear();
        return batch;
    }

    public void clear() {
        count = 0;
        descriptors = 0;
        vectors.clear();
    }

    public int count() {
        return count;
    }

    /**
     * Adds a message; descriptors and credentials may follow.
     *
     * @param content its bytes: a direct buffer of no more than IOV_MAX components, which stays alive until they are
     *         sent
     * @param name of the recipient, {@code null} for the socket's peer
     * @return false, and nothing has changed, if there is no room
     */
    public boolean add(ByteBuf content, byte[] name) {
        if (count == CAPACITY) {
            return false;
        }
        int first = vectors.count();
        int length = content.readableBytes();
        if (length > 0) {
            if (first + content.nioBufferCount() > Limits.IOV_MAX) {
                return false;
            }
            vectors.add(content, content.readerIndex(), length);
        }
        int base = count++ * SIZE;
        starts[count] = starts[count - 1] + length;
        messages.putInt(base + FIRST_VECTOR, first);
        messages.putInt(base + VECTORS, vectors.count() - first);
        messages.putInt(base + FD_COUNT, 0);
        messages.putInt(base + HAS_CREDENTIALS, 0);
        if (name == null) {
            messages.putInt(base + NAME_LENGTH, -1);
        } else {
            messages.putInt(base + NAME_LENGTH, name.length);
            messages.put(base + NAME, name);
        }
        return true;
    }

    /** Attaches a descriptor to the message that was added last. */
    public void addDescriptor(int fd) {
        int base = (count - 1) * SIZE;
        int index = messages.getInt(base + FD_COUNT);
        messages.putInt(base + FDS + index * Integer.BYTES, fd);
        messages.putInt(base + FD_COUNT, index + 1);
        descriptors++;
    }

    /** Attaches the sender's credentials to the message that was added last. */
    public void setCredentials(int pid, int uid, int gid) {
        int base = (count - 1) * SIZE;
        messages.putInt(base + HAS_CREDENTIALS, 1);
        messages.putInt(base + PID, pid);
        messages.putInt(base + UID, uid);
        messages.putInt(base + GID, gid);
    }

    /** Returns how many bytes the messages from {@code first} up to {@code end} have. */
    public long bytes(int first, int end) {
        return starts[end] - starts[first];
    }

    /** Returns how many descriptors the messages from {@code first} up to {@code end} have. */
    public int descriptors(int first, int end) {
        int sum = 0;
        for (int i = first; descriptors > 0 && i < end; i++) {
            sum += messages.getInt(i * SIZE + FD_COUNT);
        }
        return sum;
    }

    /** Returns how many messages begin within the first bytes of a stream. */
    public int begun(long bytes) {
        int index = 0;
        while (index < count && starts[index] < bytes) {
            index++;
        }
        return index;
    }

    /** Sends all messages from {@code first} on as records. */
    public long sendRecords(UnixSocket socket, int first) {
        return sendRecords(socket, first, count);
    }

    /**
     * Sends messages as records, in order.
     *
     * @param first the first message to send
     * @param end the one after the last message to send
     * @return in the lower half the number of messages sent, in the upper half the errno of the next one, or 0
     */
    public long sendRecords(UnixSocket socket, int first, int end) {
        return sendRecords(socket.intValue(), memory.address(), first, end, vectors.memoryAddress(0),
                vectors.count());
    }

    /**
     * Sends all messages as a part of a stream, in order, up to the first one that the kernel takes only in part.
     *
     * @return the number of bytes that were sent, or a negative errno if there were none
     */
    public long sendStream(UnixSocket socket) {
        return sendStream(socket.intValue(), memory.address(), count, vectors.memoryAddress(0), vectors.count());
    }

    private static native long sendRecords(int fd, long messages, int first, int count, long vectors, int vectorCount);

    private static native long sendStream(int fd, long messages, int count, long vectors, int vectorCount);
}
