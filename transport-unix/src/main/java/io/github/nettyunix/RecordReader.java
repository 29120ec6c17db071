package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.ReceiveBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.ReferenceCountUtil;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Reads records, many in one system call as long as they are small. The buffers are sized by the records that arrive; of the
 * channel's {@link RecvByteBufAllocator} only the number of messages a read counts. It also reads the pieces of a stream in
 * which descriptors come, since each of these ends a piece; those are no longer than the allocator would have a read.
 */
final class RecordReader {
    /** What the messages of a channel are made of. */
    interface MessageFactory {
        /** A message of the batch; it owns the content and the descriptors from now on. */
        Object newMessage(ByteBuf content, ReceiveBatch batch, int index, boolean controlData);
    }

    /** The default of MAX_MESSAGES_PER_READ: records are cheap, and a turn of the event loop costs as much as one of them. */
    static final int MESSAGES_PER_READ = 64;

    /** Up to this size copying costs less than another system call. */
    private static final int SMALL = 4096;

    private final AbstractUnixChannel channel;
    private final MessageFactory factory;
    private int wanted;
    // What was received and not yet handed on, because the user has stopped reading in the middle of a batch.
    private final Queue<Object> messages = new ArrayDeque<>(ReceiveBatch.CAPACITY);
    private boolean endOfStream;
    private boolean drained;
    // Whether the last turn has found nothing, as on a loop that spins: there will hardly be many then.
    private boolean idle;
    private boolean controlData;
    // About how long the next record will be.
    private int expected;

    RecordReader(AbstractUnixChannel channel, MessageFactory factory, int wanted) {
        this.channel = channel;
        this.factory = factory;
        this.wanted = wanted;
    }

    /** Whether to ask for the senders' names. */
    void setNames(boolean names) {
        wanted = names ? wanted | ReceiveBatch.NAMES : wanted & ~ReceiveBatch.NAMES;
    }

    /** See {@link AbstractUnixChannel#doReadMessages}. */
    int read(ExtendedHandle allocHandle, int before) throws IOException {
        if (messages.isEmpty() && !endOfStream && !receive(allocHandle, before)) {
            return AbstractUnixChannel.NOTHING;
        }
        int count = 0;
        do {
            Object message = messages.poll();
            if (message == null) {
                return count > 0 ? count : AbstractUnixChannel.END_OF_STREAM;
            }
            allocHandle.incMessagesRead(1);
            count++;
            if (message instanceof IOException) {
                if (isStream()) {
                    // From here on the descriptors would not match the bytes.
                    channel.unsafe().close(channel.voidPromise());
                    throw (IOException) message;
                }
                channel.fireReadError((IOException) message);
            } else {
                channel.fireRead(message);
            }
        } while (channel.config().isAutoRead() && channel.isOpen());
        return count;
    }

    /** Whether another read may find something. */
    boolean maybeMore() {
        return !drained || endOfStream || hasMessages();
    }

    /** Whether there is something to hand on without any event. */
    boolean hasMessages() {
        return !messages.isEmpty();
    }

    /** Drops what was not handed on. */
    void close() {
        for (Object message; (message = messages.poll()) != null;) {
            ReferenceCountUtil.release(message);
        }
    }

    /** Receives what there is, up to a batch; answers false if there is nothing. */
    private boolean receive(ExtendedHandle allocHandle, int before) throws IOException {
        UnixChannelConfig config = channel.config();
        ReceiveBatch batch = ReceiveBatch.current();
        int maxLength = isStream() ? Math.min(allocHandle.guess(), SMALL) : config.maxMessageSize();
        int maxFds = config.descriptorLimit();
        int control = config.controlData();
        controlData = control != 0;
        int flags = wanted | control;
        // Descriptors that come with a pidfd are ours until they are closed, be they wanted or not: one message's at a time then.
        int most = maxFds == 0 && (control & ReceiveBatch.PIDFD) != 0 ? 1 : Math.max(mostMessages(config) - before, 1);
        if (isStream() || expected <= SMALL && most > 1) {
            int count = check(batch.receive(channel.socket, idle ? 1 : most, maxLength, maxFds, flags));
            idle = count == 0 && before == 0;
            // Where several came at once, more have come meanwhile, as likely as not; to see costs less than to be told.
            drained = count <= 1;
            for (int i = 0; i < count && !endOfStream; i++) {
                add(batch, i, count, null);
                allocHandle.attemptedBytesRead(isStream() ? maxLength : batch.length(i));
                allocHandle.lastBytesRead(batch.length(i));
            }
            return count > 0;
        }
        ByteBuf buffer = channel.readBuffers.takeUnused();
        if (buffer == null) {
            buffer = channel.readBuffers.allocator().directBuffer(Math.min(Math.max(expected, SMALL), maxLength));
        }
        try {
            drained = check(batch.receiveInto(buffer, channel.socket, maxLength, maxFds, flags)) == 0;
            if (drained) {
                channel.readBuffers.putBack(buffer);
                buffer = null;
                return false;
            }
            ByteBuf content = buffer;
            buffer = null;
            add(batch, 0, 1, content);
            allocHandle.attemptedBytesRead(batch.length(0));
            allocHandle.lastBytesRead(batch.length(0));
            return true;
        } finally {
            if (buffer != null) {
                buffer.release();
            }
        }
    }

    /** @param buffer what the record was received into; {@code null} if its bytes are still in the batch */
    private void add(ReceiveBatch batch, int index, int count, ByteBuf buffer) {
        int length = batch.length(index);
        int limit = channel.config().descriptorLimit();
        if (batch.isEndOfStream(index)) {
            endOfStream = true;
        } else if (batch.isTruncated(index)) {
            messages.add(new MessageTruncatedException(channel.type, channel.addresses.endpoint(), length,
                    channel.config().maxMessageSize()));
        } else if (batch.isControlTruncated(index)) {
            messages.add(new ControlDataTruncatedException(channel.type, channel.addresses.endpoint(), limit));
        } else {
            ByteBuf content;
            try {
                content = content(batch, index, length, buffer);
            } catch (Throwable t) {
                // Without memory for this one, the rest of the batch is lost with it.
                InboundMessages.closeDescriptors(batch, index, count);
                ReferenceCountUtil.release(buffer);
                throw t;
            }
            buffer = buffer == content ? null : buffer;
            messages.add(factory.newMessage(content, batch, index, controlData));
            // Grows at once and shrinks slowly.
            expected = length > expected ? length : expected - ((expected - length) >> 3);
        }
        if (buffer != null) {
            buffer.release();
        }
    }

    private boolean isStream() {
        return (wanted & ReceiveBatch.RECORDS) == 0;
    }

    private ByteBuf content(ReceiveBatch batch, int index, int length, ByteBuf buffer) {
        if (length == 0) {
            return Unpooled.EMPTY_BUFFER;
        }
        if (buffer == null) {
            ByteBuf content = channel.readBuffers.allocator().directBuffer(length);
            batch.copy(index, content);
            return content;
        }
        int present = Math.min(length, buffer.writableBytes());
        buffer.writerIndex(present);
        if (length > present) {
            batch.copyRest(length - present, buffer);
        } else if (length < buffer.capacity() >> 2) {
            // Whoever keeps a small message shall not keep a large buffer.
            return channel.readBuffers.allocator().directBuffer(length).writeBytes(buffer);
        }
        return buffer;
    }

    private int check(int result) throws IOException {
        if (result >= 0) {
            return result;
        }
        if (result == -Errno.EAGAIN) {
            return 0;
        }
        throw channel.newException("read", result, null);
    }

    private static int mostMessages(UnixChannelConfig config) {
        // Without auto-read, every read() is worth one message.
        RecvByteBufAllocator allocator = config.getRecvByteBufAllocator();
        return config.isAutoRead() && allocator instanceof MaxMessagesRecvByteBufAllocator
                ? ((MaxMessagesRecvByteBufAllocator) allocator).maxMessagesPerRead() : 1;
    }
}
