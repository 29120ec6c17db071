package io.github.nettyunix.internal.read;

import io.github.nettyunix.internal.readiness.Interest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.unix.PreferredDirectByteBufAllocator;
import io.netty.util.ReferenceCountUtil;

/**
 * The buffers that a channel's system calls read into. A buffer that a read did not fill may be kept for the next one.
 */
final class ReadBuffers {
    private final Channel channel;
    private final Interest interest;
    private final PreferredDirectByteBufAllocator allocator = new PreferredDirectByteBufAllocator();
    private ByteBuf unused;

    ReadBuffers(Channel channel, Interest interest) {
        this.channel = channel;
        this.interest = interest;
    }

    /** Returns the channel's allocator, whose buffers are direct here. */
    ByteBufAllocator allocator() {
        allocator.updateAllocator(channel.alloc());
        return allocator;
    }

    /** Returns a buffer that {@link #putBack} has kept; {@code null} if there is none. */
    ByteBuf takeUnused() {
        ByteBuf buffer = unused;
        unused = null;
        return buffer;
    }

    /**
     * Keeps a buffer into which nothing was read, for the next attempt, if attempts follow one another continuously.
     */
    void putBack(ByteBuf buffer) {
        if (interest.isPolled()) {
            unused = buffer;
        } else {
            buffer.release();
        }
    }

    void close() {
        ReferenceCountUtil.release(takeUnused());
    }
}
