package io.github.nettyunix;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;

/** What a sender of {@linkplain UnixSharedMemoryChannel records in shared memory} can do besides writing buffers. */
public final class SharedMemory {
    private SharedMemory() {
    }

    /**
     * Returns an allocator for records that are built where the peer reads them, so that writing them copies nothing.
     * It pays for records of some KiB or more.
     *
     * <pre>{@code
     * ByteBuf record = SharedMemory.allocator(channel).directBuffer(longest);
     * encode(value, record);
     * channel.writeAndFlush(record);
     * }</pre>
     *
     * <p>A direct buffer is in the shared memory if it is allocated on the channel's event loop, its initial capacity
     * is at most a quarter of {@link UnixSocketOption#SHARED_MEMORY_CAPACITY} less 8 bytes, there is room, and no
     * ordinary buffer was written before whose bytes are still to be copied. Otherwise, and for heap buffers, this is
     * the channel's own allocator; the record is copied when it is written, as any other. The same holds for records
     * that are not written in the order in which their buffers were allocated, and for a buffer that grows beyond its
     * initial capacity, which moves to other memory. What a record does not use of the capacity is given back when it
     * is written.
     *
     * <p>A buffer that is kept, written or not, keeps the memory behind it as well, and soon no write has room: a
     * buffer that is not written must be released. The peer can read and change the bytes at any time, so what was
     * written must not be read back and believed. A buffer may outlive the channel.
     *
     * <p>It can be the channel's {@link io.netty.channel.ChannelOption#ALLOCATOR}. What the channel reads is then
     * allocated by {@link ByteBufAllocator#DEFAULT}.
     *
     * @param channel a channel; if it has no shared memory, its own allocator is returned
     * @return an allocator that can be used on any thread; its {@linkplain ByteBuf buffers} are as thread-safe as
     *         others
     */
    public static ByteBufAllocator allocator(Channel channel) {
        return channel instanceof UnixSharedMemoryChannel memory ? memory.memoryAllocator() : channel.alloc();
    }
}
