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
 * Sends back every message, and reads no faster than what it sends is taken. A connection whose peer sends no more is closed when
 * all has been sent back, for which it needs ALLOW_HALF_CLOSURE.
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

    /** A packet to the sender; {@code null} for one without a name, whom nothing can reach. */
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
        // A connection that is lost or closed fails all that it still had to send.
        if (!failed && !(cause instanceof ClosedChannelException)) {
            System.err.println(cause.getMessage());
        }
        if (ctx.channel() instanceof DuplexChannel) {
            failed = true;
            ctx.close();
        }
    }
}
