package io.github.nettyunix.internal.memory;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.ControlDataOptions;
import io.github.nettyunix.internal.ControlDataOptions.Wanted;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.read.InboundMessages;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.SendBatch;
import io.github.nettyunix.internal.write.DescriptorUses;
import io.github.nettyunix.internal.write.OutboundMessages;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCountUtil;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * The socket of a channel whose bytes go through memory. Its records are of one byte: {@link #WAKE}, or
 * {@link #ATTACHMENT} with the descriptors and credentials of a record in the ring. Its end is the channel's end.
 */
final class Doorbell {
    static final byte WAKE = 'W';
    static final byte ATTACHMENT = 'A';

    private static final ByteBuf WAKE_RECORD = record(WAKE);
    private static final ByteBuf ATTACHMENT_RECORD = record(ATTACHMENT);

    /** The most messages that are received at once, and the most attachments that wait for their records. */
    private static final int MOST = 16;
    /** Together, they take more than a socket's queue holds, so that an attachment is never behind them. */
    private static final int MOST_BATCHES = 1024;
    /** Longer than any record that the peer should send. */
    private static final int LONGEST = 64;

    private final ChannelCore core;
    // UnixMessages without content; EMPTY_BUFFER if nothing is wanted of them, a Throwable in the place of a lost one.
    private final Queue<Object> attachments = new ArrayDeque<>();
    private int waitingDescriptors;
    private boolean ended;

    Doorbell(ChannelCore core) {
        this.core = core;
    }

    private static ByteBuf record(byte kind) {
        return Unpooled.unreleasableBuffer(Unpooled.directBuffer(1, 1).writeByte(kind));
    }

    /**
     * Wakes the peer. If the socket has no room, the peer has not read earlier records and will look at the memory when
     * it does.
     *
     * @return the errno; 0 on success
     */
    int ring() {
        SendBatch batch = SendBatch.current();
        batch.add(WAKE_RECORD, null);
        int errno = (int) (batch.sendRecords(core.socket(), 0) >>> Integer.SIZE);
        return errno == Errno.EAGAIN ? 0 : errno;
    }

    /**
     * Sends what a message has besides bytes.
     *
     * @return the errno; 0 on success; -1 if one of the descriptors is closed
     */
    int send(Object message) {
        SendBatch batch = SendBatch.current();
        DescriptorUses uses = DescriptorUses.current();
        try {
            return !OutboundMessages.addControlData(batch, uses, message, ATTACHMENT_RECORD) ? -1
                    : (int) (batch.sendRecords(core.socket(), 0) >>> Integer.SIZE);
        } finally {
            uses.end(0);
        }
    }

    /**
     * Receives what the peer has sent.
     *
     * @return false if there may be more, which must wait until attachments are taken
     */
    boolean receive() throws IOException, Ring.CorruptException {
        // A peer that sends without end must not keep other channels from their turn; an event reports the rest.
        for (int batches = 0; !ended && batches < MOST_BATCHES; batches++) {
            if (isFull()) {
                return false;
            }
            ReceiveBatch batch = ReceiveBatch.current();
            ControlDataOptions options = core.settings().controlData();
            Wanted wanted = options.beginRead();
            int count;
            try {
                count = batch.receive(core.socket(), MOST - attachments.size(), LONGEST, wanted.maxFds(),
                        ReceiveBatch.RECORDS | ReceiveBatch.HAS_EOF | wanted.flags());
            } finally {
                options.endRead();
            }
            if (count == -Errno.ECONNRESET) {
                // The peer has not read all of this socket; whether it has read the ring is another question. Linux
                // reports this once, and before what the peer had sent.
                continue;
            }
            if (count == -Errno.EAGAIN) {
                return true;
            }
            if (count < 0) {
                throw core.newException(Operation.READ, count, null);
            }
            for (int i = 0; i < count; i++) {
                try {
                    received(batch, i, wanted);
                } catch (Ring.CorruptException e) {
                    for (int rest = i; rest < count; rest++) {
                        InboundMessages.closeDescriptors(batch, rest);
                    }
                    throw e;
                }
            }
            if (count > 0 && batch.next(count - 1) == -Errno.EAGAIN) {
                return true;
            }
        }
        return true;
    }

    private void received(ReceiveBatch batch, int index, Wanted wanted) throws Ring.CorruptException {
        if (batch.isEndOfStream(index)) {
            ended = true;
            return;
        }
        byte kind = batch.length(index) == 1 ? batch.firstByte(index) : 0;
        if (kind == WAKE) {
            InboundMessages.closeDescriptors(batch, index);
            return;
        }
        if (kind != ATTACHMENT) {
            throw new Ring.CorruptException("the peer has sent " + batch.length(index)
                    + " bytes on the socket that are no record of this protocol");
        }
        Object attachment;
        if (batch.isControlTruncated(index)) {
            core.counts().count(Counter.TRUNCATED_CONTROL_DATA);
            attachment = new ControlDataTruncatedException(core.type(), core.endpointAddress(), wanted.maxFds(), null,
                    InboundMessages.credentials(batch, index));
        } else if (wanted.isControlData()) {
            try {
                UnixMessage message = InboundMessages.newMessage(Unpooled.EMPTY_BUFFER, batch, index);
                waitingDescriptors += message.fileDescriptors().size();
                attachment = message;
            } catch (Throwable t) {
                InboundMessages.closeDescriptors(batch, index);
                attachment = t;
            }
        } else {
            attachment = Unpooled.EMPTY_BUFFER;
        }
        attachments.add(attachment);
    }

    /** Whether no more can be received before attachments are taken. */
    boolean isFull() {
        return attachments.size() >= MOST || waitingDescriptors >= UnixMessage.MAX_FILE_DESCRIPTORS;
    }

    /** Returns how many attachments wait for their records. */
    int waiting() {
        return attachments.size();
    }

    /** Whether the peer sends no more. */
    boolean isEnded() {
        return ended;
    }

    /** Returns the attachment of the next record that has one. */
    Object takeAttachment() throws IOException, Ring.CorruptException {
        if (attachments.isEmpty()) {
            receive();
        }
        Object attachment = attachments.poll();
        if (attachment == null) {
            throw new Ring.CorruptException("a record in memory has descriptors, and none have arrived");
        }
        if (attachment instanceof UnixMessage message) {
            waitingDescriptors -= message.fileDescriptors().size();
        }
        return attachment;
    }

    /** The channel is being closed. */
    void close() {
        for (Object attachment; (attachment = attachments.poll()) != null;) {
            if (attachment instanceof UnixMessage message) {
                ChannelCounts.unclaimed(core.channel(), message.fileDescriptors().size());
            }
            ReferenceCountUtil.release(attachment);
        }
    }
}
