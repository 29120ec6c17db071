package io.github.nettyunix.internal.write;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SentFile;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.FileRegion;
import io.netty.channel.unix.Buffer;
import io.netty.channel.unix.SocketWritableByteChannel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

/** Writes file regions to a stream. The kernel reads the bytes from the file itself; otherwise they are copied. */
public final class RegionWriter {
    /** A fast reader would otherwise keep the event loop in one call until the file ends. */
    private static final long MOST_BYTES = 1 << 20;
    /** How long to wait for a user's region that has nothing to transfer yet. */
    private static final int EMPTY_MILLIS = 10;

    private final ChannelCore core;
    private final WriteSchedule schedule;
    private Copy copy;
    // The region that was written last, and its file; null if its bytes are copied.
    private FileRegion current;
    private SentFile file;

    RegionWriter(ChannelCore core, WriteSchedule schedule) {
        this.core = core;
        this.schedule = schedule;
    }

    /** The channel that a region copies bytes to. */
    private final class Copy extends SocketWritableByteChannel {
        private boolean isFull;

        Copy() {
            super(core.socket());
        }

        @Override
        protected int write(ByteBuffer bytes, int start, int end) throws IOException {
            int result = core.socket().sendBytes(Buffer.memoryAddress(bytes) + start, end - start);
            isFull = result == -Errno.EAGAIN;
            if (result < 0 && !isFull) {
                throw core.newException(Operation.WRITE, result, null);
            }
            return Math.max(result, 0);
        }

        @Override
        protected ByteBufAllocator alloc() {
            return core.channel().alloc();
        }
    }

    /**
     * Writes a part of the region at the head of the queue.
     *
     * @return false if the socket takes no more, and the channel waits for it
     * @throws IOException if the file or the socket fails. Then the output must end, because the peer would take later
     *         bytes for the missing ones
     */
    boolean write(ChannelOutboundBuffer in, FileRegion region) throws IOException {
        if (region != current) {
            file = null;
            current = null;
            file = SentFile.open(region);
            current = region;
        }
        long written = file == null ? -Errno.EOPNOTSUPP : file.send(core.socket(), MOST_BYTES);
        if (written == -Errno.EOPNOTSUPP) {
            written = copy(region);
        } else if (written == 0) {
            throw tooShort(region, file.size());
        }
        if (written > 0) {
            boolean complete = region.transferred() >= region.count();
            core.counts().sent(complete ? 1 : 0, written, 0);
            in.progress(written);
            if (complete) {
                forget();
                in.remove();
            }
            return true;
        }
        if (written == -Errno.EAGAIN) {
            schedule.awaitWritable();
        } else if (written == 0) {
            schedule.retryAfter(EMPTY_MILLIS, TimeUnit.MILLISECONDS);
        } else {
            throw core.newException(Operation.WRITE, (int) written,
                    file != null && !file.isOpen() ? "the file is closed" : null);
        }
        return false;
    }

    /** Forgets the current region. */
    void forget() {
        current = null;
        file = null;
    }

    /** Returns the number of bytes; -EAGAIN if the socket is full, 0 if the region has none to transfer yet. */
    private long copy(FileRegion region) throws IOException {
        if (copy == null) {
            copy = new Copy();
        }
        copy.isFull = false;
        long position = region.transferred();
        long written = region.transferTo(copy, position);
        if (written > 0) {
            return written;
        }
        if (copy.isFull) {
            return -Errno.EAGAIN;
        }
        if (written < 0) {
            throw core.newException(Operation.WRITE, Errno.EIO, "the file region ended " + (region.count() - position)
                    + " bytes early");
        }
        if (region instanceof DefaultFileRegion) {
            core.validate((DefaultFileRegion) region, position);
        }
        return 0;
    }

    private IOException tooShort(FileRegion region, long size) {
        return core.newException(Operation.WRITE, Errno.EIO, "the file has " + size
                + " bytes, and the region ends behind byte "
                + (region.position() + region.count()));
    }
}
