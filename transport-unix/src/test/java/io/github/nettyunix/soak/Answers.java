package io.github.nettyunix.soak;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixMessage;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.util.HashMap;
import java.util.Map;

/** The end of a connection, or a datagram channel, that checks what arrives and answers each message with another. */
class Answers extends ChannelInboundHandlerAdapter {
    private final Traffic traffic;
    /** One, or those of a datagram channel by their index. */
    private final Map<Integer, Incoming> peers = new HashMap<>();

    Answers(Traffic traffic) {
        this.traffic = traffic;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        UnixMessage received = (UnixMessage) message;
        UnixDatagramPacket packet = received instanceof UnixDatagramPacket datagram ? datagram : null;
        Incoming peer = peers.computeIfAbsent(packet == null ? 0 : received.content().getIntLE(0),
                index -> newPeer());
        int complete = peer.add(received);
        traffic.received.add(complete);
        for (int i = peer.count() - complete; i < peer.count(); i++) {
            traffic.write(ctx, i, packet == null ? null : packet.sender());
        }
        received(peer);
    }

    Incoming newPeer() {
        return new Incoming();
    }

    void received(Incoming peer) {
    }

    void forgetPeers() {
        peers.clear();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        traffic.failed(cause);
    }
}
