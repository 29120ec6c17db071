package io.github.nettyunix.examples.echo;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;

import java.nio.channels.ClosedChannelException;

/**
 * Sends back every message, and reads no faster than the peer accepts the replies. When the peer's output has ended,
 * the connection is closed once everything has been sent back, which requires ALLOW_HALF_CLOSURE.
 */
public final class EchoHandler extends ChannelInboundHandlerAdapter {
    private ChannelFuture last;
    private boolean failed;

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        last = ctx.newSucceededFuture();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        Object answer = message instanceof UnixDatagramPacket packet ? answer(packet) : message;
        if (answer != null) {
            last = ctx.write(answer).addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
        }
    }

    /** Returns a packet to the sender; {@code null} if the sender has no name and cannot be reached. */
    private static UnixDatagramPacket answer(UnixDatagramPacket packet) {
        try {
            if (packet.sender().isUnnamed()) {
                return null;
            }
            packet.fileDescriptors().forEach(UnixFileDescriptor::retain);
            return new UnixDatagramPacket(packet.content().retain(), packet.sender(),
                    packet.fileDescriptors().toArray(new UnixFileDescriptor[0]));
        } finally {
            packet.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        ctx.channel().config().setAutoRead(ctx.channel().isWritable());
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            ctx.flush();
            last.addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // If the connection is lost or closed, all pending writes fail.
        if (!failed && !(cause instanceof ClosedChannelException)) {
            System.err.println(cause.getMessage());
        }
        if (ctx.channel() instanceof DuplexChannel) {
            failed = true;
            ctx.close();
        }
    }
}
