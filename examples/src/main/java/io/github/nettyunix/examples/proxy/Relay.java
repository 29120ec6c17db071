package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketError;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;

/**
 * Forwards what one side of a pair sends to the other: bytes or records, descriptors, and the end. Each side has one; both are
 * on the same event loop. Their channels allow half-closure, and are not closed by a failed write: what a peer has sent before
 * it went away is still to be read then.
 */
final class Relay extends ChannelInboundHandlerAdapter {
    private final DuplexChannel to;
    private final Traffic traffic;
    // What has to be done before the end can be forwarded.
    private ChannelFuture last;
    private int longest;

    /**
     * @param to the other side
     * @param before what has to be done before anything is forwarded
     */
    Relay(DuplexChannel to, ChannelFuture before, Traffic traffic) {
        this.to = to;
        this.traffic = traffic;
        last = before;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        int bytes = message instanceof UnixMessage unix ? unix.content().readableBytes() : ((ByteBuf) message).readableBytes();
        int fds = message instanceof UnixMessage unix ? unix.fileDescriptors().size() : 0;
        if (to instanceof UnixSeqpacketChannel && bytes > longest) {
            longest = bytes;
            SendBuffer.makeRoom(to, bytes);
        }
        last = to.write(message);
        last.addListener(future -> {
            if (future.isSuccess()) {
                traffic.add(bytes, fds);
            } else if (to.isActive() && !to.isOutputShutdown()) {
                // This message only was refused. A direct connection would have told its sender.
                fail(ctx, future.cause());
            }
        });
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        to.flush();
    }

    /** This side takes no more for now, or again: the other one feeds it. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        to.config().setAutoRead(ctx.channel().isWritable());
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == ChannelInputShutdownReadComplete.INSTANCE) {
            last.addListener(flushed -> to.shutdownOutput());
        } else if (event == ChannelOutputShutdownEvent.INSTANCE) {
            // Either the other side has ended and this one was told, or this one takes nothing any more, which the other is to be
            // told; what that has sent already goes nowhere, but must not keep it waiting.
            to.shutdownInput();
            to.config().setAutoRead(true);
            if (to.isOutputShutdown()) {
                ctx.close();
                to.close();
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        last.addListener(flushed -> to.close());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof UnixSocketError error && error.errnoName().equals("ECONNRESET")) {
            // A peer has left without reading everything, and closing tells the other the same.
            to.flush();
            ctx.close();
        } else {
            fail(ctx, cause);
        }
    }

    private void fail(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println("closing a connection: " + cause.getMessage());
        to.flush();
        ctx.close();
    }
}
