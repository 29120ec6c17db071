package io.github.nettyunix.internal.memory;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixRecordPart;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.metrics.FlightEvents;
import io.github.nettyunix.internal.read.ReadLoop;
import io.github.nettyunix.internal.read.RecordReader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.PreferredDirectByteBufAllocator;
import io.netty.util.ReferenceCountUtil;

import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;

/** Reads records from the peer's ring, and makes messages of them. */
final class MemoryReader {
    /** The most pieces of records in one turn: those that make no message must not keep others from theirs. */
    private static final int MOST_PIECES = 1024;
    /** How long the next piece of a record is expected: it takes less to copy one, or to wake a process. */
    private static final long NEXT_PIECE_NANOS = 100_000;

    private final ChannelCore core;
    private final ReadLoop readLoop;
    private final Doorbell doorbell;
    private final PreferredDirectByteBufAllocator allocator = new PreferredDirectByteBufAllocator();
    private final Runnable wake;
    private final Runnable onRelease = this::sliceReleased;
    private final Runnable free = this::free;
    // null before the handshake, and once the channel is closed.
    private RingConsumer ring;

    // The record whose pieces are being read: whether they are delivered one by one, what came with it, its bytes so
    // far (null if they are dropped), and their number.
    private boolean inRecord;
    private boolean inParts;
    private Object attachment;
    private ByteBuf content;
    private long length;
    private long lastPieceNanos;
    // Why there is no content, unless the record is too long.
    private Throwable failure;
    private boolean reading;
    // Whether messages are UnixMessages, as it was when this turn began.
    private boolean controlData;
    // How many more pieces this turn may read.
    private int pieces;

    /** @param wake wakes the producer */
    MemoryReader(ChannelCore core, ReadLoop readLoop, Doorbell doorbell, Runnable wake) {
        this.core = core;
        this.readLoop = readLoop;
        this.doorbell = doorbell;
        this.wake = wake;
    }

    void start(RingConsumer started) {
        ring = started;
    }

    /** Whether there are rings to read from. */
    boolean isOpen() {
        return ring != null;
    }

    /** Whether there is a record. */
    boolean hasNext() throws Ring.CorruptException {
        return ring != null && ring.hasNext();
    }

    /** Asks to be woken by the next record, unless it has come or is about to; returns true then. */
    boolean await() throws Ring.CorruptException {
        return ring != null && (isNextPieceExpected() || ring.await());
    }

    /** Whether the producer is about to write more of a record. A loop that slept would be woken for each piece. */
    private boolean isNextPieceExpected() {
        return inRecord && System.nanoTime() - lastPieceNanos < NEXT_PIECE_NANOS;
    }

    /** Takes no more than what has arrived. */
    void endInput() throws Ring.CorruptException {
        if (ring != null) {
            ring.end();
        }
    }

    /** Drops a record of which no more will come; returns whether there was one. */
    boolean dropUnfinished() {
        boolean unfinished = inRecord;
        dropRecord();
        return unfinished;
    }

    /**
     * Delivers what there is, as much as one turn allows.
     *
     * @param before how many messages this turn has already read
     * @return the number of messages
     */
    int read(ExtendedHandle allocHandle, int before) throws IOException, Ring.CorruptException {
        reading = true;
        pieces = MOST_PIECES;
        controlData = core.settings().controlData().wanted().isControlData();
        try {
            return deliver(allocHandle, before);
        } finally {
            reading = false;
        }
    }

    private int deliver(ExtendedHandle allocHandle, int before) throws IOException, Ring.CorruptException {
        Channel channel = core.channel();
        int most = Math.max(RecordReader.mostMessages(channel.config()) - before, 1);
        int count = 0;
        boolean more = ring != null;
        while (more) {
            Object message = next(allocHandle);
            if (message == null) {
                break;
            }
            count++;
            allocHandle.incMessagesRead(1);
            if (ring.hasMuchToFree()) {
                free();
            }
            if (message instanceof Throwable cause) {
                channel.pipeline().fireExceptionCaught(cause);
                more = !readLoop.isPaused();
            } else {
                readLoop.fireRead(message);
                more = channel.config().isAutoRead();
            }
            more = more && ring != null && count < most;
        }
        free();
        return count;
    }

    /** Returns the next message, or an exception in the place of a lost one; {@code null} if there is none. */
    private Object next(ExtendedHandle allocHandle) throws IOException, Ring.CorruptException {
        for (long header; pieces-- > 0 && (header = ring.next()) != RingConsumer.NONE;) {
            int bytes = (int) (header & Ring.LENGTH);
            if ((header & Ring.PADDING) != 0) {
                ring.skip(bytes);
                continue;
            }
            allocHandle.attemptedBytesRead(bytes);
            allocHandle.lastBytesRead(bytes);
            boolean last = (header & Ring.MORE) == 0;
            if (!inRecord) {
                attachment = (header & Ring.ATTACHMENT) == 0 ? null : doorbell.takeAttachment();
                if (last) {
                    return whole(bytes);
                }
                inRecord = true;
                inParts = attachment == null && core.settings().isRecordParts();
                length = 0;
                content = inParts ? null : allocate(2 * bytes);
            }
            length += bytes;
            lastPieceNanos = last ? 0 : System.nanoTime();
            if (inParts) {
                return part(bytes, last);
            }
            append(bytes);
            if (last) {
                return assembled();
            }
            if (ring.hasMuchToFree()) {
                free();
            }
        }
        return null;
    }

    private Object whole(int bytes) {
        length = bytes;
        if (bytes > core.settings().maxMessageSize()) {
            ring.skip(bytes);
            return truncated();
        }
        try {
            return message(read(bytes));
        } catch (Throwable t) {
            // There is no memory for this record; the others must not be lost with it.
            dropRecord();
            return t;
        }
    }

    private Object part(int bytes, boolean last) {
        inRecord = !last;
        ByteBuf part;
        try {
            part = read(bytes);
        } catch (Throwable t) {
            return t;
        }
        core.counts().received(last ? 1 : 0, bytes, 0);
        return new UnixRecordPart(part, last);
    }

    /** Reads the bytes of the next record or piece; if this fails, they are skipped. */
    private ByteBuf read(int bytes) {
        if (bytes == 0) {
            ring.skip(0);
            return Unpooled.EMPTY_BUFFER;
        }
        try {
            if (core.settings().isZeroCopyReads()) {
                return ring.slice(bytes, onRelease);
            }
            ByteBuf buffer = newBuffer(bytes);
            ring.copy(bytes, buffer);
            return buffer;
        } catch (Throwable t) {
            ring.skip(bytes);
            throw t;
        }
    }

    private ByteBuf newBuffer(int bytes) {
        allocator.updateAllocator(RingAllocator.ordinary(core.channel()));
        return allocator.directBuffer(bytes);
    }

    /** Appends a piece to the record, unless there is no memory for it or it is too long. */
    private void append(int bytes) {
        if (length > core.settings().maxMessageSize()) {
            ReferenceCountUtil.release(content);
            content = null;
        }
        if (content == null) {
            ring.skip(bytes);
            return;
        }
        try {
            ring.copy(bytes, content);
        } catch (Throwable t) {
            ring.skip(bytes);
            failure = t;
            content.release();
            content = null;
        }
    }

    private ByteBuf allocate(int bytes) {
        try {
            return newBuffer(bytes);
        } catch (Throwable t) {
            failure = t;
            return null;
        }
    }

    private Object assembled() {
        inRecord = false;
        ByteBuf whole = content;
        content = null;
        if (whole != null) {
            try {
                return message(whole);
            } catch (Throwable t) {
                failure = t;
            }
        }
        Throwable cause = failure;
        if (cause == null) {
            return truncated();
        }
        dropRecord();
        return cause;
    }

    /** Makes a message of a record's bytes and what came with them; if this fails, the bytes are released. */
    private Object message(ByteBuf bytes) {
        Object with = attachment;
        attachment = null;
        int descriptors = 0;
        Object message = bytes;
        try {
            if (with instanceof UnixMessage control) {
                descriptors = control.fileDescriptors().size();
                message = control.replace(bytes);
            } else if (with instanceof Throwable) {
                bytes.release();
                return with;
            } else if (controlData) {
                message = new UnixMessage(bytes);
            }
        } catch (Throwable t) {
            bytes.release();
            throw t;
        } finally {
            ReferenceCountUtil.release(with);
        }
        core.counts().received(1, length, descriptors);
        return message;
    }

    private Throwable truncated() {
        int bytes = (int) Math.min(length, Integer.MAX_VALUE);
        UnixCredentials credentials = attachment instanceof UnixMessage control ? control.credentials() : null;
        dropRecord();
        MessageTruncatedException cause = new MessageTruncatedException(core.type(), core.endpointAddress(), bytes,
                core.settings().maxMessageSize(), null, credentials);
        core.counts().count(Counter.TRUNCATED_MESSAGES);
        FlightEvents.truncated(core.channel(), core.type(), core.endpointAddress(), null, cause);
        return cause;
    }

    private void dropRecord() {
        inRecord = false;
        failure = null;
        ReferenceCountUtil.release(attachment);
        attachment = null;
        ReferenceCountUtil.release(content);
        content = null;
    }

    private void free() {
        if (ring != null && ring.free()) {
            wake.run();
        }
    }

    /** A handler has released a part of the ring, on any thread. */
    private void sliceReleased() {
        Channel channel = core.channel();
        if (!channel.isRegistered()) {
            // The next read frees it.
            return;
        }
        if (!channel.eventLoop().inEventLoop()) {
            try {
                channel.eventLoop().execute(free);
            } catch (RejectedExecutionException e) {
                // The event loop was shut down, and the channel is closed.
            }
        } else if (!reading) {
            free();
        }
    }

    /** The channel is being closed. */
    void close() {
        if (attachment instanceof UnixMessage control) {
            ChannelCounts.unclaimed(core.channel(), control.fileDescriptors().size());
        }
        dropRecord();
        if (ring != null) {
            ring.close();
            ring = null;
        }
    }
}
