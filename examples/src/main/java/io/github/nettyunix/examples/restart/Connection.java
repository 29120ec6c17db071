package io.github.nettyunix.examples.restart;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.util.ReferenceCountUtil;

import java.util.function.Consumer;

/** A client's connection: answers each line with one that says who answers. It can be paused between two requests. */
final class Connection extends SimpleChannelInboundHandler<ByteBuf> {
    /** What is read of a request and not yet answered is no longer than that. */
    static final int MAX_LINE = 512;

    private final Server server;
    private final Channel channel;
    private int unsent;
    private Consumer<Connection> whenPaused;
    private ByteBuf rest;

    Connection(Server server, Channel channel) {
        this.server = server;
        this.channel = channel;
    }

    Channel channel() {
        return channel;
    }

    /** What was read of the next request before the pause. */
    ByteBuf rest() {
        return rest;
    }

    /** Stops reading once all requests that were read are answered, and calls back. */
    void pause(Consumer<Connection> callback) {
        whenPaused = callback;
        pauseIfAllSent();
    }

    private void pauseIfAllSent() {
        if (whenPaused != null && unsent == 0 && channel.isOpen()) {
            channel.config().setAutoRead(false);
            rest = Unpooled.EMPTY_BUFFER;
            // It gives what it still has to the handler behind it.
            channel.pipeline().remove(LineBasedFrameDecoder.class);
            whenPaused.accept(this);
            whenPaused = null;
        }
    }

    /** Serves what comes, after what was read before. */
    void serve(ByteBuf readBefore) {
        channel.pipeline().addFirst(new LineBasedFrameDecoder(MAX_LINE));
        channel.pipeline().fireChannelRead(readBefore);
        channel.pipeline().fireChannelReadComplete();
    }

    /** Goes on after a pause, or without one if there was no moment for it. */
    void resume() {
        whenPaused = null;
        if (rest != null) {
            ByteBuf readBefore = rest;
            rest = null;
            serve(readBefore);
            channel.config().setAutoRead(true);
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf line) {
        if (rest != null) {
            // It is no line, but what the decoder had left.
            rest = line.retain();
            return;
        }
        unsent++;
        ByteBuf answer = ByteBufUtil.writeUtf8(ctx.alloc(), server + ": ");
        answer.writeBytes(line).writeByte('\n');
        ctx.write(answer).addListener(sent -> {
            unsent--;
            // Not now: the decoder may be at work.
            server.loop().execute(this::pauseIfAllSent);
        });
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        channel.config().setAutoRead(channel.isWritable());
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ReferenceCountUtil.release(rest);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println("closing a connection: " + cause.getMessage());
        ctx.close();
    }
}
