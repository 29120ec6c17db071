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

/**
 * A client's connection. It replies to each line with one that names the process. It can be given up between two
 * requests.
 */
final class Connection extends SimpleChannelInboundHandler<ByteBuf> {
    /** The maximum number of bytes of a request that have been read and not yet answered. */
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

    /** Returns the socket, once it has been given up. It is closed unless it is retained. */
    UnixFileDescriptor socket() {
        return socket;
    }

    /** Returns the bytes that were read of the next request. */
    ByteBuf rest() {
        return rest;
    }

    /** Replies to all requests that were read, gives the socket up, and calls back. */
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
                // The decoder passes its remaining bytes to the handler behind it.
                channel.pipeline().remove(LineBasedFrameDecoder.class);
                callback.accept(this);
            }
        });
    }

    /** Releases the connection: the successor has it, or nobody needs it. */
    void release() {
        socket.release();
        rest.release();
    }

    /** Serves the connection, starting with bytes that were read before. */
    void serve(ByteBuf readBefore) {
        channel.pipeline().addFirst(new LineBasedFrameDecoder(MAX_LINE));
        channel.pipeline().fireChannelRead(readBefore);
        channel.pipeline().fireChannelReadComplete();
    }

    /** Keeps the connection, unless it has already been given up. */
    void keep() {
        whenGivenUp = null;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf line) {
        if (rest != null) {
            // This is not a line, but the decoder's remaining bytes.
            rest = line.retain();
            return;
        }
        unsent++;
        ByteBuf answer = ByteBufUtil.writeUtf8(ctx.alloc(), server + ": ");
        answer.writeBytes(line).writeByte('\n');
        ctx.write(answer).addListener(sent -> {
            unsent--;
            // Later, because the decoder may be active.
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
