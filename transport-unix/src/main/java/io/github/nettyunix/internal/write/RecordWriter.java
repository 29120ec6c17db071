package io.github.nettyunix.internal.write;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SendBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundBuffer.MessageProcessor;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Writes the records of a connection, many per system call, in the order of the queue. */
public final class RecordWriter implements ChannelWriter, MessageProcessor {
    private static final long RETRY_MILLIS = 10;

    private final ChannelCore core;
    private final WriteSchedule schedule;

    // State of the batch being assembled.
    private SendBatch batch;
    private DescriptorUses uses;
    private int limit;

    // The records at the head of the queue that the kernel has taken and whose promises are not completed yet.
    private ChannelOutboundBuffer queue;
    private int sent;

    public RecordWriter(ChannelCore core, WriteSchedule schedule) {
        this.core = core;
        this.schedule = schedule;
    }

    @Override
    public Object filter(Object message) throws IOException {
        return OutboundMessages.filter(core, message);
    }

    @Override
    public void write(ChannelOutboundBuffer in, int maxMessages) throws Exception {
        int spins = core.channel().config().getWriteSpinCount();
        int remaining = maxMessages;
        do {
            limit = Math.min(remaining, SendBatch.CAPACITY);
            long result = sendBatch(in);
            if (batch.count() > 0) {
                int errno = (int) (result >>> Integer.SIZE);
                queue = in;
                sent = (int) result;
                remaining -= sent;
                if (sent > 0) {
                    core.counts().sent(sent, batch.bytes(0, sent), batch.descriptors(0, sent));
                }
                completeSent();
                if (errno != 0 && !continueAfter(errno, in)) {
                    return;
                }
            } else if (!failUnsendable(in)) {
                schedule.complete();
                return;
            }
        } while (--spins > 0 && remaining > 0);
        schedule.yieldTurn();
    }

    private long sendBatch(ChannelOutboundBuffer in) throws Exception {
        batch = SendBatch.current();
        try {
            in.forEachFlushedMessage(this);
            return batch.count() == 0 ? 0 : batch.sendRecords(core.socket(), 0);
        } finally {
            if (uses != null) {
                uses.end(0);
                uses = null;
            }
        }
    }

    /** Puts a record into the batch; returns false if the batch ends with it or before it. */
    @Override
    public boolean processMessage(Object message) {
        if (message instanceof ByteBuf buffer) {
            return batch.add(buffer, null) && batch.count() < limit;
        }
        if (uses == null) {
            uses = DescriptorUses.current();
        }
        return OutboundMessages.add(batch, uses, message, null, Unpooled.EMPTY_BUFFER) && batch.count() < limit;
    }

    /**
     * Completes the promises of the records that the kernel has taken. Listeners of the first may close the channel, or
     * its output: this is called again then, before the rest of the queue fails.
     */
    @Override
    public void completeSent() {
        while (sent > 0) {
            sent--;
            OutboundMessages.removeCancelled(queue);
            SentDescriptors.keep(core.channel(), queue.current());
            queue.remove();
        }
    }

    /** Handles a record at the head that the kernel did not accept. Returns whether those after it can be sent now. */
    private boolean continueAfter(int errno, ChannelOutboundBuffer in) throws IOException {
        if (errno == Errno.EAGAIN) {
            schedule.awaitWritable();
            return false;
        }
        if (Errno.isTransient(errno)) {
            schedule.retryAfter(RETRY_MILLIS, TimeUnit.MILLISECONDS);
            return false;
        }
        if (isConnectionLost(errno)) {
            throw core.newException(Operation.WRITE, errno, null);
        }
        OutboundMessages.removeCancelled(in);
        Object message = in.current();
        if (message != null) {
            in.remove(core.newException(Operation.WRITE, errno,
                    errno == Errno.EMSGSIZE ? OutboundMessages.sizeLimit(core, message) : null));
        }
        return true;
    }

    /** Whether an errno concerns the connection rather than a single message. */
    private static boolean isConnectionLost(int errno) {
        return errno == Errno.EPIPE || errno == Errno.ECONNRESET || errno == Errno.ENOTCONN;
    }

    /** Fails the record at the head, which is why the batch is empty; returns false if the queue is empty, too. */
    private boolean failUnsendable(ChannelOutboundBuffer in) {
        OutboundMessages.removeCancelled(in);
        Object message = in.current();
        if (message == null) {
            return false;
        }
        in.remove(OutboundMessages.newClosedDescriptor(core, message));
        return true;
    }
}
