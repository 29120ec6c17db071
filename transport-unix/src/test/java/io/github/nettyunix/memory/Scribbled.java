package io.github.nettyunix.memory;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SharedMemory;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixRecordPart;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The handler of a connection whose peer is hostile: it does random things, and counts what has arrived unharmed. */
final class Scribbled extends ChannelInboundHandlerAdapter {
    /** Completes when the channel is closed. */
    final CompletableFuture<Void> ended = new CompletableFuture<>();
    /** How many of the first records are as the peer has sent them. */
    volatile int unharmed;
    /** What has arrived after these; {@code null} if nothing. */
    volatile String harm;
    /** Whether this side has closed the channel. */
    volatile boolean closedHere;
    /** An exception that must not be, and the first that a peer which keeps to the rules cannot cause. */
    volatile Throwable unexpected;
    volatile Throwable violation;

    private static final int SHOWN = 16;

    private final Random random;
    private final ScheduledExecutorService otherThread;
    private ByteBuf parts;
    private int written;

    Scribbled(long seed, ScheduledExecutorService otherThread) {
        random = new Random(seed);
        this.otherThread = otherThread;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        changeOptions(ctx.channel());
        write(ctx);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof UnixRecordPart part) {
            // Copied: to hold all parts of a record that is longer than the ring would stop the peer.
            parts = (parts == null ? Unpooled.buffer() : parts).writeBytes(part.content());
            part.release();
            if (!part.isLast()) {
                return;
            }
            message = parts;
            parts = null;
        }
        check(ctx.channel(), message instanceof ByteBufHolder holder ? holder.content() : (ByteBuf) message);
        release(message);
        switch (random.nextInt(40)) {
            case 0 -> pause(ctx);
            case 1 -> changeOptions(ctx.channel());
            case 2, 3, 4, 5, 6 -> write(ctx);
            case 7 -> {
                closedHere = random.nextInt(10) == 0;
                if (closedHere) {
                    ctx.close();
                }
            }
            default -> { }
        }
    }

    /** Releases a message now, or keeps it for a while: not for ever, or the peer would wait for room as long. */
    private void release(Object message) {
        switch (random.nextInt(4)) {
            case 0 -> otherThread.execute(() -> ReferenceCountUtil.release(message));
            case 1 -> otherThread.schedule(() -> ReferenceCountUtil.release(message), random.nextInt(20),
                    TimeUnit.MILLISECONDS);
            default -> ReferenceCountUtil.release(message);
        }
    }

    private void check(Channel channel, ByteBuf content) {
        byte[] bytes = ByteBufUtil.getBytes(content);
        if (harm == null && bytes.length >= 8) {
            ByteBuffer record = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
            if (Arrays.equals(bytes, record(unharmed, bytes.length - 8)) && record.getInt() == unharmed) {
                unharmed++;
                return;
            }
        }
        if (harm == null) {
            harm = bytes.length + " bytes that begin with "
                    + ByteBufUtil.hexDump(bytes, 0, Math.min(bytes.length, SHOWN)) + ", options "
                    + channel.config().getOption(UnixSocketOption.ZERO_COPY_READS);
        }
    }

    /** What record() of scribble.py returns. */
    private static byte[] record(int number, int length) {
        ByteBuffer record = ByteBuffer.allocate(8 + length).order(ByteOrder.nativeOrder()).putInt(number)
                .putInt(length);
        for (int i = 0; i < length; i++) {
            record.put((byte) (number + i % 64 * 7));
        }
        return record.array();
    }

    private void write(ChannelHandlerContext ctx) {
        for (int i = random.nextInt(10); i >= 0 && ctx.channel().isWritable(); i--) {
            ctx.write(build(ctx.channel(), record(written++, random.nextInt(i == 0 ? 300_000 : 1000))));
        }
        ctx.flush();
    }

    /** Puts a record into memory of its own, or to where the peer reads it; it may be held longer than it is written. */
    private ByteBuf build(Channel channel, byte[] record) {
        if (random.nextInt(3) == 0) {
            return Unpooled.wrappedBuffer(record);
        }
        int capacity = random.nextInt(4) == 0 ? random.nextInt(1000) : record.length;
        ByteBuf buffer = SharedMemory.allocator(channel).directBuffer(capacity).writeBytes(record);
        if (random.nextInt(10) == 0) {
            release(buffer.retainedDuplicate());
        }
        if (random.nextInt(10) == 0) {
            // It will not be written.
            release(SharedMemory.allocator(channel).directBuffer(1 + random.nextInt(1000)));
        }
        return buffer;
    }

    private void pause(ChannelHandlerContext ctx) {
        ctx.channel().config().setAutoRead(false);
        otherThread.schedule(() -> ctx.channel().config().setAutoRead(true), random.nextInt(5), TimeUnit.MILLISECONDS);
    }

    private void changeOptions(Channel channel) {
        channel.config().setOption(UnixSocketOption.ZERO_COPY_READS, random.nextBoolean());
        channel.config().setOption(UnixSocketOption.RECORD_PARTS, random.nextBoolean());
        channel.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, random.nextBoolean());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        UnixErrno error = cause instanceof UnixSocketError socketError ? socketError.error() : null;
        if (error != UnixErrno.ECONNRESET && violation == null) {
            violation = cause;
        }
        if (error != UnixErrno.ECONNRESET && error != UnixErrno.EPROTO
                && !(cause instanceof MessageTruncatedException) && !(cause instanceof ControlDataTruncatedException)) {
            unexpected = cause;
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ReferenceCountUtil.release(parts);
        ended.complete(null);
    }
}
