package io.github.nettyunix.internal.socket;

import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.Buffer;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.internal.PlatformDependent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Received messages, as {@code receive_batch.c} stores them in memory. Each thread has one batch, which serves all of
 * its channels; its content is valid until the next receiving call.
 *
 * <p>Every slot has address space for the largest message, but not memory: a small message touches one page, always the
 * same one. Its bytes are copied out while they are in the cache, so that a message that is kept pins no more than
 * itself.
 */
public final class ReceiveBatch {
    /** The most messages that one batch takes. */
    public static final int CAPACITY = 32;

    /** Whether {@link #bytesToBarrier} finds descriptors; elsewhere it returns its limit. */
    public static final boolean CAN_FIND_BARRIER = Platform.canFindBarrier();

    /** Request flag: messages are records, not parts of a stream. */
    public static final int RECORDS = 1;
    /** ... they end: an empty record without a mark, see {@link UnixSocket#markRecords}, is the end of the stream. */
    public static final int HAS_EOF = 2;
    /** ... the senders' names. */
    public static final int NAMES = 4;
    /** ... descriptors and credentials; without it the kernel discards descriptors. */
    public static final int CONTROL = 8;
    /** ... the senders' pidfds, with CONTROL. */
    public static final int PIDFD = 16;
    /** ... the senders' security labels, with CONTROL. */
    public static final int LABEL = 32;
    /** ... the senders' credentials, with CONTROL. */
    public static final int CREDENTIALS = 64;
    /** ... all messages, also those behind one that brings many descriptors. */
    public static final int TOGETHER = 128;

    /** Added to what {@link #bytesToBarrier} returns where more is known to follow. */
    public static final int MORE = 1 << 30;

    // struct inbound_message, drawn in receive_batch.c
    private static final int LENGTH = 0;
    private static final int FLAGS = 4;
    private static final int FD_COUNT = 8;
    private static final int NAME_LENGTH = 12;
    private static final int PID = 16;
    private static final int UID = 20;
    private static final int GID = 24;
    private static final int PIDFD_NUMBER = 28;
    private static final int NAME = 32;
    private static final int FDS = 144;
    private static final int LABEL_LENGTH = 1156;
    private static final int LABEL_START = 1160;
    private static final int UNWANTED = 1164;
    private static final int NEXT = 1168;
    private static final int SIZE = 3008;

    private static final int TRUNCATED = 1;
    private static final int CONTROL_TRUNCATED = 2;
    private static final int HAS_CREDENTIALS = 4;
    private static final int END_OF_STREAM = 8;
    private static final int SAME_NAME = 16;

    private static final int PAGE = Platform.pageSize();
    private static final int CACHE_LINE = 64;
    private static final int LARGE = 1 << 18;
    /**
     * More than can precede a descriptor in a queue of the usual size; in a longer queue, only this much is examined.
     */
    private static final int LOOK_AHEAD = 1 << 18;

    private static final FastThreadLocal<ReceiveBatch> CURRENT = new FastThreadLocal<>() {
        @Override
        protected ReceiveBatch initialValue() {
            return new ReceiveBatch();
        }

        @Override
        protected void onRemoval(ReceiveBatch batch) {
            batch.memory.free();
            if (batch.data != null) {
                batch.data.free();
            }
        }
    };

    private final NativeMemory memory = new NativeMemory((long) CAPACITY * SIZE);
    private final ByteBuffer messages = memory.buffer(0, CAPACITY * SIZE);
    private NativeMemory data;
    private int capacity;
    private long stride;
    private int slots;
    private boolean trusted;

    private ReceiveBatch() {
    }

    /** The calling thread's batch. */
    public static ReceiveBatch current() {
        return CURRENT.get();
    }

    /**
     * Receives up to {@code count} records of up to {@code maxLength} bytes. One that brings descriptors is the last
     * one.
     *
     * @return how many, among them as the last one the end of the stream; -EAGAIN if there are none
     */
    public int receive(UnixSocket socket, int count, int maxLength, int maxFds, int wanted) {
        reserve(maxLength);
        int received = receive(socket.intValue(), memory.address(), Math.min(count, slots), 0, 0,
                data.address(), data.size(), stride, maxLength, maxFds, wanted);
        closeUnwanted(received, wanted);
        return received;
    }

    /**
     * Receives one record of up to {@code maxLength} bytes, into the writable bytes of a direct buffer as far as it
     * fits; the rest is appended by {@link #copyRest}.
     *
     * @return 1, also at the end of the stream; -EAGAIN if there is none
     */
    public int receiveInto(ByteBuf buffer, UnixSocket socket, int maxLength, int maxFds, int wanted) {
        reserve(maxLength);
        int received = receive(socket.intValue(), memory.address(), 1, address(buffer),
                Math.min(buffer.writableBytes(), maxLength),
                data.address(), data.size(), stride, maxLength, maxFds, wanted);
        closeUnwanted(received, wanted);
        return received;
    }

    /** Receives a part of a stream into the writable bytes of a direct buffer, no more than {@code length} of them. */
    public int receiveStream(ByteBuf buffer, int length, UnixSocket socket, int maxFds, int wanted) {
        int received = receive(socket.intValue(), memory.address(), 1, address(buffer), length, 0, 0, 0, length, maxFds,
                wanted);
        closeUnwanted(received, wanted);
        return received;
    }

    /**
     * Returns how many bytes of a stream to receive so that a message with descriptors is delivered as it was sent.
     *
     * @param limit the most bytes to receive
     * @return the number, with {@link #MORE} added where more is known to follow; 0 at the end of the stream; -EAGAIN
     *         if nothing is queued
     */
    public int bytesToBarrier(UnixSocket socket, int limit, int wanted) {
        reserve(LOOK_AHEAD);
        return bytesToBarrier(socket.intValue(), data.address(), LOOK_AHEAD, limit, wanted);
    }

    /**
     * Closes descriptors beyond the limit, or of a truncated message, that C could not close because it might block.
     */
    private void closeUnwanted(int received, int wanted) {
        if ((wanted & CONTROL) != 0) {
            for (int index = 0; index < received; index++) {
                int unwanted = messages.getInt(index * SIZE + UNWANTED);
                for (int i = 0; i < unwanted; i++) {
                    DescriptorCloser.close(descriptor(index, descriptorCount(index) + i));
                }
            }
        }
    }

    /** Returns the length of the whole message, even if it was truncated. */
    public int length(int index) {
        return messages.getInt(index * SIZE + LENGTH);
    }

    /** Returns the first byte of a message that is not empty. */
    public byte firstByte(int index) {
        return PlatformDependent.hasUnsafe() ? PlatformDependent.getByte(data.address() + index * stride)
                : data.buffer(index * stride, 1).get(0);
    }

    /** Whether the message was longer than wanted; its descriptors have been closed. */
    public boolean isTruncated(int index) {
        return (flags(index) & TRUNCATED) != 0;
    }

    /** Whether descriptors of the message were lost; those that had arrived have been closed. */
    public boolean isControlTruncated(int index) {
        return (flags(index) & CONTROL_TRUNCATED) != 0;
    }

    /** Whether this is the end of the stream and not a message. */
    public boolean isEndOfStream(int index) {
        return (flags(index) & END_OF_STREAM) != 0;
    }

    public boolean hasCredentials(int index) {
        return (flags(index) & HAS_CREDENTIALS) != 0;
    }

    public int pid(int index) {
        return messages.getInt(index * SIZE + PID);
    }

    public int uid(int index) {
        return messages.getInt(index * SIZE + UID);
    }

    public int gid(int index) {
        return messages.getInt(index * SIZE + GID);
    }

    /**
     * Returns how the receive that followed the last message of a batch failed: a negative errno, -EAGAIN if there was
     * nothing; 0 if there was no further receive, so that there may be more.
     */
    public int next(int index) {
        return messages.getInt(index * SIZE + NEXT);
    }

    public int descriptorCount(int index) {
        return messages.getInt(index * SIZE + FD_COUNT);
    }

    /** A descriptor of the message; -1 once it {@link #hasOwner}. */
    public int descriptor(int index, int number) {
        return messages.getInt(index * SIZE + FDS + number * Integer.BYTES);
    }

    /** Whether the descriptors of the message that is being delivered can be closed in place without inspection. */
    public boolean isTrusted() {
        return trusted;
    }

    public void setTrusted(boolean trusted) {
        this.trusted = trusted;
    }

    /** Called when a descriptor has an owner. */
    public void hasOwner(int index, int number) {
        messages.putInt(index * SIZE + FDS + number * Integer.BYTES, -1);
    }

    /** Returns the sender's pidfd; -1 if there is none, or after {@link #pidFdHasOwner}. */
    public int pidFd(int index) {
        return messages.getInt(index * SIZE + PIDFD_NUMBER);
    }

    /** Called when the pidfd has an owner. */
    public void pidFdHasOwner(int index) {
        messages.putInt(index * SIZE + PIDFD_NUMBER, -1);
    }

    /** Returns the sender's security label; {@code null} if there is none. */
    public String label(int index) {
        int length = messages.getInt(index * SIZE + LABEL_LENGTH);
        if (length < 0) {
            return null;
        }
        byte[] label = new byte[length];
        messages.get(index * SIZE + messages.getInt(index * SIZE + LABEL_START), label);
        return new String(label, StandardCharsets.UTF_8);
    }

    /**
     * Returns the sender's name: {@code previous} itself if it is the same, so that the messages of a busy sender share
     * one array.
     *
     * @param previous the name of the sender before, in this batch or an earlier one
     */
    public byte[] name(int index, byte[] previous) {
        if ((flags(index) & SAME_NAME) != 0) {
            return previous;
        }
        int length = messages.getInt(index * SIZE + NAME_LENGTH);
        int start = index * SIZE + NAME;
        if (previous != null && previous.length == length) {
            int i = 0;
            while (i < length && previous[i] == messages.get(start + i)) {
                i++;
            }
            if (i == length) {
                return previous;
            }
        }
        byte[] name = new byte[length];
        messages.get(start, name);
        return name;
    }

    /** Appends the bytes of a message of {@link #receive}. */
    public void copy(int index, ByteBuf buffer) {
        copy(index, length(index), buffer);
    }

    /**
     * Appends the part that did not fit into the buffer of {@link #receiveInto}, whose writer index is after the part
     * that did.
     */
    public void copyRest(int length, ByteBuf buffer) {
        copy(0, length, buffer);
    }

    /** Called if a message is not copied: returns its memory to the system as {@link #copy} does. */
    public void drop(int index) {
        discard(index, (int) Math.min(length(index), stride));
    }

    private void discard(int index, int length) {
        if (length > LARGE) {
            // Frees the pages of a slot after a rare large message.
            data.discard(index * stride, length);
        }
    }

    private void copy(int index, int length, ByteBuf buffer) {
        if (length == 0) {
            return;
        }
        long source = data.address() + index * stride;
        buffer.ensureWritable(length);
        if (PlatformDependent.hasUnsafe() && buffer.hasMemoryAddress()) {
            int writerIndex = buffer.writerIndex();
            PlatformDependent.copyMemory(source, buffer.memoryAddress() + writerIndex, length);
            buffer.writerIndex(writerIndex + length);
        } else {
            buffer.writeBytes(data.buffer(index * stride, length));
        }
        discard(index, length);
    }

    private int flags(int index) {
        return messages.getInt(index * SIZE + FLAGS);
    }

    private void reserve(int maxLength) {
        if (maxLength > capacity) {
            long pages = ((long) maxLength + PAGE - 1) / PAGE * PAGE;
            // Neighbouring slots must not fall into the same set of the processor's cache.
            long newStride = pages + CACHE_LINE;
            NativeMemory newData = NativeMemory.reserve(newStride, CAPACITY);
            if (data != null) {
                data.free();
            }
            data = newData;
            stride = newStride;
            slots = (int) (newData.size() / newStride);
            capacity = maxLength;
        }
    }

    private static long address(ByteBuf buffer) {
        int index = buffer.writerIndex();
        if (buffer.hasMemoryAddress()) {
            return buffer.memoryAddress() + index;
        }
        ByteBuffer view = buffer.internalNioBuffer(index, buffer.writableBytes());
        return Buffer.memoryAddress(view) + view.position();
    }

    private static native int bytesToBarrier(int fd, long scratch, int capacity, int limit, int wanted);

    private static native int receive(int fd, long messages, int count, long buffer, int length,
                                      long data, long size, long stride, int capacity, int maxFds, int wanted);
}
