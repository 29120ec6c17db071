package io.github.nettyunix.internal.read;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.ControlDataOptions;
import io.github.nettyunix.internal.ControlDataOptions.Wanted;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.metrics.FlightEvents;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.MaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.internal.PlatformDependent;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Reads records, many per system call while they are small. Buffers are sized by the records that arrive; of the
 * channel's {@link RecvByteBufAllocator}, only the number of messages per read is used. It also reads the pieces of a
 * stream on which a trusted peer sends descriptors, each of which ends a piece. These pieces are no longer than a read
 * with the allocator would be.
 */
public class RecordReader implements ChannelReader {
    /** Creates the messages of a channel. */
    public interface MessageFactory {
        /** Returns the sender of a record; {@code null} on a connection. Called once for each record, in order. */
        default UnixSocketAddress sender(ReceiveBatch batch, int index) {
            return null;
        }

        /** Creates a message of the batch. Unless this fails, it owns the content and the descriptors. */
        Object newMessage(ByteBuf content, UnixSocketAddress sender, ReceiveBatch batch, int index,
                boolean controlData);
    }

    /**
     * The default of MAX_MESSAGES_PER_READ: records are cheap, and a turn of the event loop costs as much as one of
     * them.
     */
    public static final int MESSAGES_PER_READ = 64;

    /** Up to this size copying costs less than another system call. */
    private static final int SMALL = 4096;

    private final ChannelCore core;
    private final ReadLoop readLoop;
    private final MessageFactory factory;
    private final int kind;
    private final PeerTrust peerTrust;
    // Received but not yet delivered: messages, and a Throwable in the place of each lost one. Messages are of Netty's
    // classes as well as ours, so a common type would take a wrapper, that is, an object per message.
    private final Queue<Object> messages = new ArrayDeque<>(ReceiveBatch.CAPACITY);
    private final MoreExpected moreExpected = new MoreExpected();
    private final DescriptorsExpected descriptorsExpected = new DescriptorsExpected();
    private boolean endOfStream;
    private boolean maybeMore;
    // Whether the last read did not show if there is more: it was full, or descriptors ended it.
    private boolean unknown;
    // The error that followed the last batch; the kernel reports it only once.
    private int failure;
    // Whether the last turn found nothing, as most turns of a spinning loop do: the next one will hardly find many.
    private boolean idle;
    // The approximate length of the next record.
    private int expected;

    /** @param kind what the records are, as flags of {@link ReceiveBatch} */
    public RecordReader(ChannelCore core, ReadLoop readLoop, MessageFactory factory, int kind) {
        this(core, readLoop, factory, kind, new PeerTrust(core.socket()));
    }

    RecordReader(ChannelCore core, ReadLoop readLoop, MessageFactory factory, int kind, PeerTrust peerTrust) {
        this.core = core;
        this.readLoop = readLoop;
        this.factory = factory;
        this.kind = kind;
        this.peerTrust = peerTrust;
    }

    @Override
    public int read(ExtendedHandle allocHandle, int before) throws IOException {
        if (messages.isEmpty() && !endOfStream && !receive(allocHandle, before)) {
            return NOTHING;
        }
        Channel channel = core.channel();
        int count = 0;
        boolean more;
        do {
            Object message = messages.poll();
            if (message == null) {
                return count > 0 ? count : END_OF_STREAM;
            }
            allocHandle.incMessagesRead(1);
            count++;
            if (message instanceof Throwable cause) {
                if (isStream()) {
                    // From here on, descriptors would not match bytes, or bytes would be missing.
                    core.close();
                    PlatformDependent.throwException(cause);
                }
                channel.pipeline().fireExceptionCaught(cause);
                // This is not the message that a read() without auto-read has requested.
                more = !readLoop.isPaused();
            } else {
                readLoop.fireRead(message);
                more = channel.config().isAutoRead();
            }
        } while (more && channel.isOpen());
        return count;
    }

    @Override
    public void drain() {
        Channel channel = core.channel();
        for (Object message; channel.isOpen() && (message = messages.poll()) != null;) {
            if (message instanceof Throwable cause) {
                channel.pipeline().fireExceptionCaught(cause);
            } else {
                readLoop.fireRead(message);
            }
        }
        if (failure != 0 && channel.isOpen()) {
            IOException cause = core.newException(Operation.READ, failure, null);
            boolean ends = failure == -Errno.ECONNRESET && (isStream() || (kind & ReceiveBatch.HAS_EOF) != 0);
            failure = 0;
            if (ends) {
                readLoop.keepReset(cause);
            } else {
                channel.pipeline().fireExceptionCaught(cause);
            }
        }
    }

    @Override
    public boolean maybeMore() {
        return maybeMore || endOfStream || hasMessages();
    }

    @Override
    public boolean hasMessages() {
        return !messages.isEmpty() || failure != 0;
    }

    @Override
    public void close() {
        readLoop.buffers().close();
        for (Object message; (message = messages.poll()) != null;) {
            if (message instanceof UnixMessage unixMessage) {
                ChannelCounts.unclaimed(core.channel(), unixMessage.fileDescriptors().size());
            }
            ReferenceCountUtil.release(message);
        }
    }

    /** Receives what there is, up to a batch; returns false if there is nothing. */
    private boolean receive(ExtendedHandle allocHandle, int before) throws IOException {
        if (failure != 0) {
            int result = failure;
            failure = 0;
            check(result);
        }
        // Options are set at any time, also in the middle of a turn.
        int most = Math.max(mostMessages(core.channel().config()) - before, 1);
        int maxLength = isStream() ? Math.min(Math.max(allocHandle.guess(), 1), SMALL)
                : core.settings().maxMessageSize();
        int count = isStream() || expected <= SMALL && most > 1 ? receiveMany(allocHandle, idle ? 1 : most, maxLength)
                : receiveOne(allocHandle, maxLength);
        idle = count == 0 && before == 0;
        if (count == 0) {
            moreExpected.foundNothing(before);
            maybeMore = false;
        } else {
            boolean found = moreExpected.found(before);
            // If several arrived at once, more are likely to have arrived meanwhile; trying costs less than waiting for
            // an event.
            maybeMore = count > 1 || unknown && found;
        }
        return count > 0;
    }

    private int receiveMany(ExtendedHandle allocHandle, int most, int maxLength) throws IOException {
        ReceiveBatch batch = ReceiveBatch.current();
        ControlDataOptions options = core.settings().controlData();
        Wanted wanted = options.beginRead();
        int count;
        try {
            int flags = kind | wanted.flags();
            if (wanted.maxFds() > 0 && most > 1 && peerTrust.isTrusted()) {
                int together = descriptorsExpected.together(most, wanted.maxFds());
                if (together > 1) {
                    most = together;
                    flags |= ReceiveBatch.TOGETHER;
                }
            }
            count = check(batch.receive(core.socket(), most, maxLength, wanted.maxFds(), flags));
        } finally {
            options.endRead();
        }
        if (wanted.maxFds() > 0) {
            peerTrust.received(count);
        }
        int next = count > 0 ? batch.next(count - 1) : -Errno.EAGAIN;
        unknown = next == 0;
        if (next != -Errno.EAGAIN) {
            failure = next;
        }
        int added = 0;
        long bytes = 0;
        int descriptors = 0;
        for (int i = 0; i < count && !endOfStream; i++) {
            if (add(batch, i, wanted, maxLength, null)) {
                added++;
                bytes += batch.length(i);
                descriptors += wanted.maxFds() == 0 ? 0 : batch.descriptorCount(i);
            }
            allocHandle.attemptedBytesRead(isStream() ? maxLength : batch.length(i));
            allocHandle.lastBytesRead(batch.length(i));
        }
        if (added > 0) {
            core.counts().received(added, bytes, descriptors);
        }
        return count;
    }

    private int receiveOne(ExtendedHandle allocHandle, int maxLength) throws IOException {
        ByteBuf buffer = readLoop.buffers().takeUnused();
        if (buffer == null) {
            buffer = readLoop.buffers().allocator().directBuffer(Math.min(Math.max(expected, SMALL), maxLength));
        }
        ReceiveBatch batch = ReceiveBatch.current();
        ControlDataOptions options = core.settings().controlData();
        int count;
        Wanted wanted = options.beginRead();
        try {
            count = check(batch.receiveInto(buffer, core.socket(), maxLength, wanted.maxFds(), kind | wanted.flags()));
        } catch (Throwable t) {
            buffer.release();
            throw t;
        } finally {
            options.endRead();
        }
        unknown = true;
        if (count == 0) {
            readLoop.buffers().putBack(buffer);
        } else {
            if (add(batch, 0, wanted, maxLength, buffer)) {
                core.counts().received(1, batch.length(0), batch.descriptorCount(0));
            }
            allocHandle.attemptedBytesRead(batch.length(0));
            allocHandle.lastBytesRead(batch.length(0));
        }
        return count;
    }

    /**
     * Adds what has arrived to the queue.
     *
     * @param buffer what the record was received into; {@code null} if its bytes are still in the batch
     * @return whether it is a message
     */
    private boolean add(ReceiveBatch batch, int index, Wanted wanted, int maxLength, ByteBuf buffer) {
        if (batch.isEndOfStream(index)) {
            endOfStream = true;
            ReferenceCountUtil.release(buffer);
            return false;
        }
        if (wanted.maxFds() > 0) {
            descriptorsExpected.received(batch, index);
        }
        ByteBuf content = null;
        Object message;
        try {
            UnixSocketAddress sender = factory.sender(batch, index);
            if (batch.isTruncated(index)) {
                message = truncated(sender, new MessageTruncatedException(core.type(), core.endpointAddress(),
                        batch.length(index), maxLength, sender, InboundMessages.credentials(batch, index)));
            } else if (batch.isControlTruncated(index)) {
                message = truncated(sender, new ControlDataTruncatedException(core.type(), core.endpointAddress(),
                        wanted.maxFds(), sender, InboundMessages.credentials(batch, index)));
            } else {
                content = content(batch, index, buffer);
                batch.setTrusted(peerTrust.isHarmless(batch.descriptorCount(index)));
                message = factory.newMessage(content, sender, batch, index, wanted.isControlData());
            }
        } catch (Throwable t) {
            // There is no memory for this record; the others must not be lost with it.
            InboundMessages.closeDescriptors(batch, index);
            if (content != buffer) {
                ReferenceCountUtil.release(content);
            }
            content = null;
            message = t;
        }
        messages.add(message);
        if (content == null) {
            batch.drop(index);
        } else {
            // Grows at once and shrinks slowly.
            int length = batch.length(index);
            expected = length > expected ? length : expected - ((expected - length) >> 3);
        }
        if (content != buffer) {
            ReferenceCountUtil.release(buffer);
        }
        return content != null;
    }

    private Throwable truncated(UnixSocketAddress sender, IOException cause) {
        core.counts().count(cause instanceof MessageTruncatedException ? Counter.TRUNCATED_MESSAGES
                : Counter.TRUNCATED_CONTROL_DATA);
        FlightEvents.truncated(core.channel(), core.type(), core.endpointAddress(), sender, cause);
        return cause;
    }

    private boolean isStream() {
        return (kind & ReceiveBatch.RECORDS) == 0;
    }

    private ByteBuf content(ReceiveBatch batch, int index, ByteBuf buffer) {
        int length = batch.length(index);
        if (length == 0) {
            return Unpooled.EMPTY_BUFFER;
        }
        if (buffer == null) {
            ByteBuf content = readLoop.buffers().allocator().directBuffer(length);
            batch.copy(index, content);
            return content;
        }
        int present = Math.min(length, buffer.writableBytes());
        buffer.writerIndex(present);
        if (length > present) {
            batch.copyRest(length - present, buffer);
        } else if (length < buffer.capacity() >> 2) {
            // Do not let a small message pin a large buffer.
            return readLoop.buffers().allocator().directBuffer(length).writeBytes(buffer);
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
        throw core.newException(Operation.READ, result, null);
    }

    /** Returns the most messages of one turn. */
    public static int mostMessages(ChannelConfig config) {
        // Without auto-read, every read() is worth one message.
        RecvByteBufAllocator allocator = config.getRecvByteBufAllocator();
        return config.isAutoRead() && allocator instanceof MaxMessagesRecvByteBufAllocator
                ? ((MaxMessagesRecvByteBufAllocator) allocator).maxMessagesPerRead() : 1;
    }
}
