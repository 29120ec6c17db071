package io.github.nettyunix.examples.cat;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixSocketAddress;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.util.concurrent.Promise;

/** Addresses written messages to the most recent sender that has a name. */
final class LastSenderHandler extends ChannelDuplexHandler {
    private final Promise<Void> known;
    private UnixSocketAddress sender;

    /** Creates a handler that completes {@code known} when the first such sender is known. */
    LastSenderHandler(Promise<Void> known) {
        this.known = known;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        UnixSocketAddress from = UnixSocketAddress.from(((DomainDatagramPacket) message).sender());
        if (!from.isUnnamed()) {
            sender = from;
            known.trySuccess(null);
        }
        ctx.fireChannelRead(message);
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        ctx.write(new UnixDatagramPacket((ByteBuf) message, sender), promise);
    }
}
