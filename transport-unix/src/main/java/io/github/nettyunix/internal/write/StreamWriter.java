package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SendBatch;
import io.github.nettyunix.internal.socket.StreamBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.FileRegion;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** Writes a stream: plain buffers, messages with control data, and file regions. */
public final class StreamWriter implements ChannelWriter {
    /** The byte that is sent with a descriptor written without a message. */
    private static final ByteBuf ONE_ZERO = Unpooled.unreleasableBuffer(Unpooled.directBuffer(1).writeZero(1))
            .asReadOnly();

    private static final int WOULD_BLOCK = -1;

    private final ChannelCore core;
    private final WriteSchedule schedule;
    // Created with the first region: few connections write any.
    private RegionWriter regions;

    public StreamWriter(ChannelCore core, WriteSchedule schedule) {
        this.core = core;
        this.schedule = schedule;
    }

    @Override
    public Object filter(Object message) throws IOException {
        if (message instanceof ByteBuf buffer) {
            return OutboundMessages.toDirect(core, buffer);
        }
        return message instanceof FileRegion ? message : OutboundMessages.filter(core, message);
    }

    @Override
    public void write(ChannelOutboundBuffer in, int maxMessages) throws Exception {
        int spins = core.channel().config().getWriteSpinCount();
        do {
            Object message = in.current();
            if (message == null) {
                schedule.complete();
                return;
            }
            int calls = message instanceof ByteBuf ? writeBytes(in)
                    : message instanceof FileRegion region ? writeRegion(in, region) : writeMessages(in, message);
            if (calls == WOULD_BLOCK) {
                return;
            }
            spins -= calls;
        } while (spins > 0);
        schedule.yieldTurn();
    }

    /** Writes the buffers up to the next message that is something else. */
    private int writeBytes(ChannelOutboundBuffer in) throws Exception {
        StreamBatch batch = StreamBatch.current();
        in.forEachFlushedMessage(batch);
        long written = batch.send(core.socket());
        if (written < 0) {
            return waitOrThrow((int) written);
        }
        if (written > 0) {
            core.counts().sent(batch.buffers(written), written, 0);
        }
        in.removeBytes(written);
        return written == 0 ? 0 : 1;
    }

    /**
     * Writes the messages with control data at the head. The control data of each is sent with the first of its bytes
     * that the kernel accepts.
     */
    private int writeMessages(ChannelOutboundBuffer in, Object message) throws Exception {
        SendBatch batch = SendBatch.current();
        boolean started = in.currentProgress() > 0;
        DescriptorUses uses = DescriptorUses.current();
        long written;
        try {
            if (started) {
                batch.add(((UnixMessage) message).content(), null);
            } else {
                in.forEachFlushedMessage(next -> !(next instanceof ByteBuf) && !(next instanceof FileRegion)
                        && OutboundMessages.add(batch, uses, next, null, ONE_ZERO));
            }
            if (batch.count() == 0) {
                throw OutboundMessages.newClosedDescriptor(core, message);
            }
            written = batch.sendStream(core.socket());
        } finally {
            uses.end(0);
        }
        if (written < 0) {
            return waitOrThrow((int) written);
        }
        int begun = batch.begun(written);
        int ended = batch.bytes(0, begun) == written ? begun : begun - 1;
        core.counts().sent(ended, written, batch.descriptors(0, begun));
        removeMessages(in, written);
        return 1;
    }

    private void removeMessages(ChannelOutboundBuffer in, long written) {
        while (written > 0) {
            Object message = in.current();
            if (message == null) {
                // A listener of an earlier message has closed the channel.
                return;
            }
            if (message == Unpooled.EMPTY_BUFFER) {
                // Skip the placeholder of a cancelled write.
                in.remove();
                continue;
            }
            if (in.currentProgress() == 0) {
                SentDescriptors.keep(core.channel(), message);
            }
            int length = message instanceof UnixMessage unixMessage ? unixMessage.content().readableBytes()
                    : ONE_ZERO.readableBytes();
            if (written < length) {
                in.progress(written);
                ((UnixMessage) message).content().skipBytes((int) written);
                return;
            }
            in.progress(length);
            in.remove();
            written -= length;
        }
    }

    /** A message that the kernel refuses ends the output. Otherwise the peer would mistake later data for it. */
    private int waitOrThrow(int result) throws IOException {
        if (result == -Errno.EAGAIN) {
            schedule.awaitWritable();
        } else if (Errno.isTransient(-result)) {
            schedule.retryAfter(10, TimeUnit.MILLISECONDS);
        } else {
            throw core.newException(Operation.WRITE, result, null);
        }
        return WOULD_BLOCK;
    }

    private int writeRegion(ChannelOutboundBuffer in, FileRegion region) throws IOException {
        if (region.transferred() >= region.count()) {
            in.remove();
            return 0;
        }
        if (regions == null) {
            regions = new RegionWriter(core, schedule);
        }
        return regions.write(in, region) ? 1 : WOULD_BLOCK;
    }
}
