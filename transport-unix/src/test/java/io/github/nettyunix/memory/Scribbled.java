package io.github.nettyunix.memory;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SharedMemory;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixRecordPart;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.util.ReferenceCountUtil;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The handler of a connection whose peer may be hostile: it does random things, counts what has arrived unharmed, and
 * keeps what it has written. Records and descriptors follow from their numbers, as in scribble.py.
 */
final class Scribbled extends ChannelInboundHandlerAdapter {
    /** A record that it has written. */
    record Written(int length, int descriptors, ChannelFuture future) {
        /** Whether the channel could not write it, and has said so. */
        boolean isLost() {
            return !future.isSuccess() && !future.isCancelled();
        }
    }

    /** Completes when the channel is closed. */
    final CompletableFuture<Void> ended = new CompletableFuture<>();
    /** What was written, by number. */
    final List<Written> written = new ArrayList<>();
    /** Whether the answer to the peer's last record is the last of {@link #written}, without a number of its own. */
    volatile boolean answered;
    /** How many of the first records are as the peer has sent them, their bytes, and their descriptors. */
    volatile int unharmed;
    volatile long unharmedBytes;
    volatile int unharmedDescriptors;
    /** What has arrived after these; {@code null} if nothing. */
    volatile String harm;
    /** Whether this side has closed the channel. */
    volatile boolean closedHere;
    /** Whether the peer was found gone with something unread. */
    volatile boolean reset;
    /** An exception that must not be, and the first that a peer which keeps to the rules cannot cause. */
    volatile Throwable unexpected;
    volatile Throwable violation;
    volatile Channel channel;

    private static final int SHOWN = 16;
    private static final int LAST = -1;

    private final Random random;
    private final ScheduledExecutorService otherThread;
    private final EventLoopGroup loops;
    /** Whether descriptors are wanted all the time, and none may be missing. */
    private final boolean strict;
    private final boolean moves;
    private boolean moving;
    private ByteBuf parts;

    Scribbled(long seed, ScheduledExecutorService otherThread, EventLoopGroup loops) {
        random = new Random(seed);
        this.otherThread = otherThread;
        this.loops = loops;
        strict = random.nextBoolean();
        moves = random.nextInt(3) == 0;
    }

    boolean isStrict() {
        return strict;
    }

    /** Before the peer can have sent anything. */
    void prepare(Channel accepted) {
        channel = accepted;
        accepted.config().setOption(UnixSocketOption.SHARED_MEMORY_CAPACITY, 1 << 16 + random.nextInt(4));
        accepted.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, strict);
        // Handlers are not notified if it is closed when it has left its event loop.
        accepted.closeFuture().addListener(closed -> {
            ReferenceCountUtil.release(parts);
            ended.complete(null);
        });
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        changeOptions();
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
        List<UnixFileDescriptor> fds = message instanceof UnixMessage with ? with.fileDescriptors() : List.of();
        if (check(message instanceof ByteBufHolder holder ? holder.content() : (ByteBuf) message, fds)) {
            ctx.writeAndFlush(last());
            answered = true;
        }
        release(message);
        if (answered) {
            return;
        }
        switch (random.nextInt(40)) {
            case 0 -> pause();
            case 1 -> changeOptions();
            case 2, 3, 4, 5, 6 -> write(ctx);
            case 7 -> {
                closedHere |= random.nextInt(10) == 0;
                if (closedHere) {
                    ctx.close();
                }
            }
            case 8 -> move();
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

    /** Returns whether it is the last record, which wants an answer. */
    private boolean check(ByteBuf content, List<UnixFileDescriptor> fds) {
        byte[] bytes = ByteBufUtil.getBytes(content);
        List<String> links = fds.stream().map(Scribbled::link).toList();
        if (harm == null && bytes.length >= 8) {
            ByteBuffer record = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
            int number = record.getInt();
            boolean isLast = number == LAST && bytes.length == 8;
            List<String> expected = isLast ? List.of()
                    : names(number).stream().map(name -> "/memfd:" + name + " (deleted)").toList();
            if (isLast || Arrays.equals(bytes, record(unharmed, bytes.length - 8))
                    && (links.equals(expected) || !strict && links.isEmpty())) {
                unharmed += isLast ? 0 : 1;
                unharmedBytes += bytes.length;
                unharmedDescriptors += links.size();
                return isLast;
            }
        }
        if (harm == null) {
            harm = bytes.length + " bytes that begin with "
                    + ByteBufUtil.hexDump(bytes, 0, Math.min(bytes.length, SHOWN)) + ", descriptors " + links
                    + ", ZERO_COPY_READS " + channel.config().getOption(UnixSocketOption.ZERO_COPY_READS);
        }
        return false;
    }

    private static String link(UnixFileDescriptor fd) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.intValue())).toString();
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static byte[] record(int number, int length) {
        ByteBuffer record = ByteBuffer.allocate(8 + length).order(ByteOrder.nativeOrder()).putInt(number)
                .putInt(length);
        for (int i = 0; i < length; i++) {
            record.put((byte) (number + i % 64 * 7));
        }
        return record.array();
    }

    private static List<String> names(int number) {
        List<String> names = new ArrayList<>();
        for (int i = 0; number % 6 == 3 && i < 1 + number / 6 % 3; i++) {
            names.add("file " + number + "." + i);
        }
        return names;
    }

    private static ByteBuf last() {
        return Unpooled.wrappedBuffer(record(LAST, 0));
    }

    private void write(ChannelHandlerContext ctx) {
        for (int i = random.nextInt(10); i >= 0 && ctx.channel().isWritable(); i--) {
            int number = written.size();
            byte[] record = record(number, random.nextInt(i == 0 ? 300_000 : 1000));
            List<UnixFileDescriptor> fds = names(number).stream().map(Scribbled::newFile).toList();
            ByteBuf content = build(record);
            ChannelFuture future = ctx.write(fds.isEmpty() && random.nextInt(8) > 0 ? content
                    : new UnixMessage(content, fds));
            written.add(new Written(record.length, fds.size(), future));
            if (random.nextInt(20) == 0) {
                future.cancel(false);
            }
        }
        ctx.flush();
    }

    /** Puts a record into memory of its own, or to where the peer reads it. It may be held after it is written. */
    private ByteBuf build(byte[] record) {
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

    private static UnixFileDescriptor newFile(String name) {
        try {
            return UnixFileDescriptor.memfd(name, 0);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Netty lets no other thread use a channel while it is between two event loops. */
    private void pause() {
        if (!moves) {
            channel.config().setAutoRead(false);
            otherThread.schedule(() -> channel.config().setAutoRead(true), random.nextInt(5), TimeUnit.MILLISECONDS);
        }
    }

    private void move() {
        if (!moves || moving) {
            return;
        }
        moving = true;
        channel.deregister().addListener(deregistered -> {
            if (channel.isOpen() && !channel.isRegistered()) {
                loops.register(channel).addListener(registered -> {
                    moving = false;
                    if (!registered.isSuccess() && channel.isOpen()) {
                        unexpected = registered.cause();
                    }
                });
            }
        });
    }

    private void changeOptions() {
        channel.config().setOption(UnixSocketOption.ZERO_COPY_READS, random.nextBoolean());
        channel.config().setOption(UnixSocketOption.RECORD_PARTS, random.nextBoolean());
        boolean controlData = random.nextBoolean();
        if (!strict) {
            channel.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        UnixErrno error = cause instanceof UnixSocketError socketError ? socketError.error() : null;
        reset |= error == UnixErrno.ECONNRESET;
        if (error != UnixErrno.ECONNRESET && violation == null) {
            violation = cause;
        }
        if (error != UnixErrno.ECONNRESET && error != UnixErrno.EPROTO
                && !(cause instanceof MessageTruncatedException) && !(cause instanceof ControlDataTruncatedException)) {
            unexpected = cause;
        }
    }

    @Override
    public String toString() {
        return unharmed + " records have arrived, registered: " + channel.isRegistered() + ", moving: " + moving
                + ", auto-read: " + channel.config().isAutoRead() + ", to be written: "
                + written.stream().filter(one -> !one.future().isDone()).count();
    }
}
