package io.github.nettyunix.examples.restart;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixTransport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.util.concurrent.Future;

import java.util.function.Consumer;

/** A client's connection: answers each line with one that says who answers. It can be given up between two requests. */
final class Connection extends SimpleChannelInboundHandler<ByteBuf> {
    /** What is read of a request and not yet answered is no longer than that. */
    static final int MAX_LINE = 512;

    private final Server server;
    private final Channel channel;
    private int unsent;
    private Consumer<Connection> whenGivenUp;
    private UnixFileDescriptor socket;
    private ByteBuf rest;

    Connection(Server server, Channel channel) {
        this.server = server;
        this.channel = channel;
    }

    Channel channel() {
        return channel;
    }

    /** The socket, once it was given up; it is closed unless it is retained. */
    UnixFileDescriptor socket() {
        return socket;
    }

    /** What was read of the next request. */
    ByteBuf rest() {
        return rest;
    }

    /** Answers all requests that were read, gives the socket up, and calls back. */
    void giveUp(Consumer<Connection> callback) {
        whenGivenUp = callback;
        giveUpIfAllSent();
    }

    private void giveUpIfAllSent() {
        if (whenGivenUp == null || unsent > 0 || !channel.isOpen()) {
            return;
        }
        Consumer<Connection> callback = whenGivenUp;
        whenGivenUp = null;
        UnixTransport.handOver(channel).addListener((Future<UnixFileDescriptor> future) -> {
            if (future.isSuccess()) {
                socket = future.getNow();
                rest = Unpooled.EMPTY_BUFFER;
                // It gives what it still has to the handler behind it.
                channel.pipeline().remove(LineBasedFrameDecoder.class);
                callback.accept(this);
            }
        });
    }

    /** The successor has it, or there is none who wants it. */
    void release() {
        socket.release();
        rest.release();
    }

    /** Serves what comes, after what was read before. */
    void serve(ByteBuf readBefore) {
        channel.pipeline().addFirst(new LineBasedFrameDecoder(MAX_LINE));
        channel.pipeline().fireChannelRead(readBefore);
        channel.pipeline().fireChannelReadComplete();
    }

    /** Stays, if it was not given up yet. */
    void keep() {
        whenGivenUp = null;
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
            server.loop().execute(this::giveUpIfAllSent);
        });
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (socket == null) {
            channel.config().setAutoRead(channel.isWritable());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println("closing a connection: " + cause.getMessage());
        ctx.close();
    }
}
