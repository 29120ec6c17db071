package io.github.nettyunix.faults;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufHolder;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Numbered messages as they arrive: their numbers, whatever the channel makes of them, and their descriptors. */
final class Inbox extends ChannelInboundHandlerAdapter {
    /** A message begins with its number and its length. */
    static final int HEADER = 8;

    private final boolean isStream;
    private final List<Integer> numbers = new ArrayList<>();
    private final List<UnixFileDescriptor> descriptors = new ArrayList<>();
    private final List<Throwable> caught = new ArrayList<>();
    private ByteBuf incomplete;
    private String mistake;
    private boolean inactive;

    Inbox(boolean isStream) {
        this.isStream = isStream;
    }

    static ByteBuf newMessage(ByteBufAllocator allocator, int number, int length) {
        return allocator.directBuffer(HEADER + length).writeInt(number).writeInt(length)
                .writeBytes(content(number, length));
    }

    private static byte[] content(int number, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (number + i);
        }
        return bytes;
    }

    @Override
    public synchronized void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof UnixMessage withDescriptors) {
            for (UnixFileDescriptor fd : withDescriptors.fileDescriptors()) {
                descriptors.add(fd.retain());
            }
        }
        ByteBuf content = message instanceof ByteBufHolder holder ? holder.content() : (ByteBuf) message;
        if (isStream) {
            if (incomplete == null) {
                incomplete = ctx.alloc().buffer();
            }
            incomplete.writeBytes(content);
            while (readMessage(incomplete)) {
                // The next one.
            }
            incomplete.discardReadBytes();
        } else if (!readMessage(content) || content.isReadable()) {
            mistake = "a record of " + content.writerIndex() + " bytes is none that was sent";
        }
        ReferenceCountUtil.release(message);
    }

    private boolean readMessage(ByteBuf buffer) {
        int start = buffer.readerIndex();
        if (buffer.readableBytes() < HEADER || buffer.readableBytes() < HEADER + buffer.getInt(start + 4)) {
            return false;
        }
        int number = buffer.readInt();
        int length = buffer.readInt();
        byte[] bytes = new byte[length];
        buffer.readBytes(bytes);
        if (!Arrays.equals(bytes, content(number, length))) {
            mistake = "message " + number + " is not the one that was sent";
        }
        numbers.add(number);
        return true;
    }

    @Override
    public synchronized void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        caught.add(cause);
    }

    @Override
    public synchronized void channelInactive(ChannelHandlerContext ctx) {
        inactive = true;
    }

    @Override
    public synchronized void handlerRemoved(ChannelHandlerContext ctx) {
        if (incomplete != null) {
            incomplete.release();
            incomplete = null;
        }
    }

    synchronized List<Integer> numbers() {
        return List.copyOf(numbers);
    }

    synchronized int count() {
        return numbers.size();
    }

    synchronized List<Throwable> caught() {
        return List.copyOf(caught);
    }

    synchronized boolean isInactive() {
        return inactive;
    }

    /** What was wrong with what has arrived; {@code null} if nothing was. */
    synchronized String mistake() {
        return mistake;
    }

    /** Returns the descriptors so far, which are the caller's. */
    synchronized List<UnixFileDescriptor> takeDescriptors() {
        List<UnixFileDescriptor> taken = List.copyOf(descriptors);
        descriptors.clear();
        return taken;
    }

    @Override
    public synchronized String toString() {
        return numbers + (caught.isEmpty() ? "" : ", " + caught) + (inactive ? ", inactive" : "")
                + (mistake == null ? "" : ", " + mistake);
    }
}
