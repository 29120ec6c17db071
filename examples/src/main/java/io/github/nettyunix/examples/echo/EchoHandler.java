package io.github.nettyunix.examples.echo;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Sends back every message, and reads no faster than what it sends is taken. */
@Sharable
final class EchoHandler extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        Object answer = message instanceof UnixDatagramPacket packet ? answer(packet) : message;
        if (answer != null) {
            ctx.write(answer).addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
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
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println(cause.getMessage());
        if (ctx.channel().parent() != null) {
            ctx.close();
        }
    }
}
