package io.github.nettyunix.internal.write;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.socket.SendBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundBuffer.MessageProcessor;

import java.io.IOException;

/** Writes the records of a connection, many per system call, in the order of the queue. */
public final class RecordWriter implements ChannelWriter, MessageProcessor {
    private final ChannelCore core;
    private final WriteSchedule schedule;
    private final SentRecords sent;

    // State of the batch being assembled.
    private SendBatch batch;
    private DescriptorUses uses;
    private int limit;

    public RecordWriter(ChannelCore core, WriteSchedule schedule) {
        this.core = core;
        this.schedule = schedule;
        sent = new SentRecords(core, schedule);
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
                int count = (int) result;
                remaining -= count;
                if (count > 0) {
                    core.counts().sent(count, batch.bytes(0, count), batch.descriptors(0, count));
                }
                sent.complete(in, count);
                if (errno != 0 && !sent.continueAfter(errno, in)) {
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

    @Override
    public void completeSent() {
        sent.complete();
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
