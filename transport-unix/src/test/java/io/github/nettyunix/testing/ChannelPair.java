package io.github.nettyunix.testing;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.util.ReferenceCountUtil;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Two connected channels: a test writes to the sender and checks what arrives at the receiver. */
public final class ChannelPair implements AutoCloseable {
    private static final long TIMEOUT_SECONDS = 60;

    public final Channel sender;
    public final Channel receiver;
    /** What has arrived at the receiver, and at the sender. */
    public final RecordingHandler inbox = new RecordingHandler();
    public final RecordingHandler senderInbox = new RecordingHandler();

    private final Buffers buffers = new Buffers();

    private ChannelPair(Channel sender, Channel receiver) {
        this.sender = sender;
        this.receiver = receiver;
        sender.config().setAllocator(buffers.allocator());
        receiver.config().setAllocator(buffers.allocator());
    }

    /** A pair that is not registered yet: set options, then {@link #start}. */
    public static ChannelPair of(SocketType type) {
        var pair = Channels.pair(type);
        return new ChannelPair(pair.get(0), pair.get(1));
    }

    /** A pair that shares memory, and is not registered yet. */
    public static ChannelPair ofSharedMemory() {
        var pair = UnixSharedMemoryChannel.pair();
        return new ChannelPair(pair.get(0), pair.get(1));
    }

    /** A pair in use. */
    public static ChannelPair started(SocketType type) throws InterruptedException {
        return of(type).start();
    }

    /** Sets an option of the receiver. */
    public <T> ChannelPair with(ChannelOption<T> option, T value) {
        assertTrue(receiver.config().setOption(option, value));
        return this;
    }

    /** Sets an option of the sender. */
    public <T> ChannelPair withSender(ChannelOption<T> option, T value) {
        assertTrue(sender.config().setOption(option, value));
        return this;
    }

    /** Registers both; the receiver has these handlers before its inbox. */
    public ChannelPair start(ChannelHandler... handlers) throws InterruptedException {
        return start(Loops.group(), handlers);
    }

    /** Registers both with a group of the test's own. */
    public ChannelPair start(EventLoopGroup group, ChannelHandler... handlers) throws InterruptedException {
        receiver.pipeline().addLast(handlers).addLast(inbox);
        sender.pipeline().addLast(senderInbox);
        group.register(receiver).sync();
        group.register(sender).sync();
        return this;
    }

    /** Writes some text and flushes. */
    public ChannelFuture send(String text) {
        return sender.writeAndFlush(buffer(text));
    }

    /** Returns the text of the next message, and releases the message with its descriptors. */
    public String text() {
        return text(inbox.take(Object.class));
    }

    public static ByteBuf buffer(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }

    /** Returns the text of a message, and releases it. */
    public static String text(Object message) {
        if (message instanceof Throwable) {
            throw new AssertionError("expected a message", (Throwable) message);
        }
        ByteBuf content = message instanceof ByteBufHolder holder ? holder.content() : (ByteBuf) message;
        String text = new String(ByteBufUtil.getBytes(content), StandardCharsets.UTF_8);
        ReferenceCountUtil.release(message);
        return text;
    }

    /** Checks that an operation fails, and returns its cause. */
    public static Throwable failure(ChannelFuture future) throws InterruptedException {
        assertTrue(future.await(TIMEOUT_SECONDS, TimeUnit.SECONDS), "neither succeeded nor failed");
        assertFalse(future.isSuccess(), "it succeeded");
        assertNotNull(future.cause());
        return future.cause();
    }

    /** Waits until the channel's event loop has run its current tasks, and those that follow from them. */
    public static void settle(Channel channel) throws InterruptedException {
        for (int i = 0; i < 2; i++) {
            channel.eventLoop().submit(() -> { }).sync();
        }
    }

    /** Closes both, and checks that all of their buffers are released. */
    @Override
    public void close() throws InterruptedException {
        sender.close().sync();
        receiver.close().sync();
        // The pipelines first report what is left.
        settle(sender);
        settle(receiver);
        inbox.release();
        senderInbox.release();
        buffers.assertAllReleased();
    }
}
