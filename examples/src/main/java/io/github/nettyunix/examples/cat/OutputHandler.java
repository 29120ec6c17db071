package io.github.nettyunix.examples.cat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Promise;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Prints received messages to standard output, and requests more when they have been printed. If auto-read is off,
 * nothing accumulates. Printing may block, so a separate thread does it instead of the event loop.
 */
public final class OutputHandler extends ChannelInboundHandlerAdapter {
    private final ExecutorService writer = Executors.newSingleThreadExecutor(new DefaultThreadFactory("output", true));
    // System.out would hide errors.
    private final OutputStream out = new FileOutputStream(FileDescriptor.out);
    private final Promise<Void> end;

    /**
     * Creates a handler for one channel.
     *
     * @param end completes when the peer's output has ended and has been printed, or fails
     */
    public OutputHandler(Promise<Void> end) {
        this.end = end;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        ctx.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        writer.execute(() -> write(message));
    }

    private void write(Object message) {
        try {
            ByteBuf content = message instanceof ByteBufHolder packet ? packet.content() : (ByteBuf) message;
            content.readBytes(out, content.readableBytes());
        } catch (IOException e) {
            end.tryFailure(new IOException("standard output: " + e.getMessage(), e));
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        writer.execute(ctx::read);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == ChannelInputShutdownReadComplete.INSTANCE) {
            writer.execute(() -> end.trySuccess(null));
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        writer.execute(() -> end.trySuccess(null));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        writer.execute(() -> end.tryFailure(cause));
    }
}
