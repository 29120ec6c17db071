package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.read.InboundMessages;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.Mapping;
import io.github.nettyunix.internal.socket.MemoryFile;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.SendBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The first record that each side sends: the client's HELLO and the server's ACCEPT bring the descriptor of the ring
 * that their sender writes to; REFUSE says why the server does not accept.
 */
final class Handshake {
    /** "NUSM", as a little-endian machine reads it. */
    static final int MAGIC = 0x4d53554e;
    static final int VERSION = 1;

    static final int HELLO = 1;
    static final int ACCEPT = 2;
    static final int REFUSE = 3;

    /** Nothing has arrived yet. */
    static final Object NOTHING = new Object();
    /** The peer has closed the connection. */
    static final Object ENDED = new Object();

    private static final int LENGTH = 16;
    private static final int LONGEST = 256;
    private static final int SEALS = MemoryFile.SEAL_SHRINK | MemoryFile.SEAL_GROW | MemoryFile.SEAL_SEAL;

    private final ChannelCore core;
    private final Operation operation;

    /** @param operation what fails if the handshake does */
    Handshake(ChannelCore core, Operation operation) {
        this.core = core;
        this.operation = operation;
    }

    private IOException failure(Operation of, int failed, String hint) {
        return SocketErrors.newException(of, core.type(), core.endpointAddress(), failed, hint);
    }

    /** Creates a ring, sends its descriptor, and returns its producing side. */
    RingProducer sendRing(int kind, int capacity) throws IOException {
        int fd = MemoryFile.create("netty-unix-ring", Ring.HEADER + (long) capacity, SEALS);
        if (fd < 0) {
            throw failure(Operation.MEMFD_CREATE, fd, null);
        }
        try {
            RingProducer ring = new RingProducer(map(fd, capacity), capacity);
            try {
                int errno = send(kind, capacity, fd, "");
                if (errno != 0) {
                    throw failure(operation, errno, "the handshake could not be sent");
                }
                return ring;
            } catch (Throwable t) {
                ring.close();
                throw t;
            }
        } finally {
            FileDescriptors.close(fd);
        }
    }

    /** Creates both sides of a ring within this process. */
    static Object[] newRing(ChannelCore producer, ChannelCore consumer) throws IOException {
        int capacity = producer.settings().sharedMemoryCapacity();
        Handshake handshake = new Handshake(producer, Operation.SOCKETPAIR);
        int fd = MemoryFile.create("netty-unix-ring", Ring.HEADER + (long) capacity, SEALS);
        if (fd < 0) {
            throw handshake.failure(Operation.MEMFD_CREATE, fd, null);
        }
        try {
            RingProducer ring = new RingProducer(handshake.map(fd, capacity), capacity);
            try {
                return new Object[] {ring, new RingConsumer(handshake.map(fd, capacity), capacity)};
            } catch (IOException e) {
                ring.close();
                throw e;
            }
        } finally {
            FileDescriptors.close(fd);
        }
    }

    private Mapping map(int fd, int capacity) throws IOException {
        long address = Mapping.mapRing(fd, Ring.HEADER, capacity);
        if (Mapping.isErrno(address)) {
            throw failure(Operation.MMAP, (int) address, null);
        }
        return new Mapping(address, Ring.HEADER + 2 * capacity, true);
    }

    /** Tells the client why it is refused; that it may not hear of it changes nothing. */
    void refuse(String reason) {
        send(REFUSE, 0, -1, reason);
    }

    private int send(int kind, int capacity, int fd, String text) {
        ByteBuf record = Unpooled.directBuffer(LONGEST);
        try {
            record.writeBytes(newHeader(kind, capacity)).writeCharSequence(text, StandardCharsets.UTF_8);
            SendBatch batch = SendBatch.current();
            batch.add(record.writerIndex(Math.min(record.writerIndex(), LONGEST)), null);
            if (fd >= 0) {
                batch.addDescriptor(fd);
            }
            return (int) (batch.sendRecords(core.socket(), 0) >>> Integer.SIZE);
        } finally {
            record.release();
        }
    }

    private static byte[] newHeader(int kind, int capacity) {
        return java.nio.ByteBuffer.allocate(LENGTH).order(ByteOrder.nativeOrder()).putInt(MAGIC)
                .putShort((short) VERSION).putShort((short) kind).putLong(capacity).array();
    }

    /**
     * Receives the peer's record.
     *
     * @return the consuming side of the peer's ring, {@link #NOTHING} or {@link #ENDED}
     */
    Object receiveRing(int kind) throws IOException {
        ReceiveBatch batch = ReceiveBatch.current();
        int flags = core.settings().controlData().wanted().flags() | ReceiveBatch.RECORDS | ReceiveBatch.HAS_EOF
                | ReceiveBatch.CONTROL;
        int count = batch.receive(core.socket(), 1, LONGEST, 1, flags);
        if (count == -Errno.EAGAIN) {
            return NOTHING;
        }
        if (count == -Errno.ECONNRESET) {
            return ENDED;
        }
        if (count < 0) {
            throw failure(operation, count, "in the handshake");
        }
        try {
            return batch.isEndOfStream(0) ? ENDED : consumer(batch, kind);
        } finally {
            InboundMessages.closeDescriptors(batch, 0);
        }
    }

    private RingConsumer consumer(ReceiveBatch batch, int kind) throws IOException {
        ByteBuf record = Unpooled.directBuffer(LONGEST);
        try {
            if (!batch.isTruncated(0)) {
                batch.copy(0, record);
            }
            java.nio.ByteBuffer header = record.nioBuffer().order(ByteOrder.nativeOrder());
            if (record.readableBytes() < LENGTH || header.getInt() != MAGIC) {
                throw failure(operation, Errno.EPROTO, "the peer is not a channel with shared memory: it has sent "
                        + batch.length(0) + " bytes that are no handshake");
            }
            int version = header.getShort();
            int actual = header.getShort();
            long capacity = header.getLong();
            if (actual == REFUSE && kind == ACCEPT) {
                throw failure(operation, Errno.EPROTO, "the server refuses: "
                        + record.toString(LENGTH, record.readableBytes() - LENGTH, StandardCharsets.UTF_8)
                                .replaceAll("\\P{Print}", "?"));
            }
            if (version != VERSION || actual != kind) {
                throw failure(operation, Errno.EPROTO, "the peer's handshake has version " + version + " and kind "
                        + actual + ", expected were " + VERSION + " and " + kind);
            }
            if (!Ring.isCapacity(capacity)) {
                throw failure(operation, Errno.EPROTO, "the peer's ring has a capacity of " + capacity
                        + " bytes, expected was a power of two from " + Ring.MIN_CAPACITY + " to "
                        + Ring.MAX_CAPACITY);
            }
            if (batch.descriptorCount(0) != 1) {
                throw failure(operation, Errno.EPROTO, "the peer's handshake has no descriptor of its ring");
            }
            int fd = batch.descriptor(0, 0);
            long size = MemoryFile.sealedSize(fd, SEALS);
            if (size != Ring.HEADER + capacity) {
                throw failure(operation, size < 0 ? (int) size : Errno.EPROTO, size < 0
                        ? "the peer's ring is no memory file that is sealed against changes of its size"
                        : "the peer's ring has " + size + " bytes, expected were " + (Ring.HEADER + capacity));
            }
            return new RingConsumer(map(fd, (int) capacity), (int) capacity);
        } finally {
            record.release();
        }
    }
}
