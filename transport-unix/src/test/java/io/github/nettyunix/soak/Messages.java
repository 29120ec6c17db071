package io.github.nettyunix.soak;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Python;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Messages with a descriptor each, as many and as fast as possible: half of them from Python, half to it. */
final class Messages implements Run {
    private final Kind kind;

    Messages(Kind kind) {
        this.kind = kind;
    }

    @Override
    public String run(int count) throws Exception {
        try (Traffic traffic = new Traffic(false)) {
            receive(traffic, count / 2);
            send(traffic, count / 2);
            traffic.end();
            return count + " messages with a descriptor each";
        }
    }

    private void receive(Traffic traffic, int count) throws Exception {
        Channel server = traffic.bind(kind, traffic.address(kind), () -> new Receiver(traffic));
        Python python = traffic.start("send_all", kind, Traffic.hex(traffic.address(kind)), count);
        python.expect("done");
        python.succeed();
        traffic.await(() -> traffic.received.sum() == count, "messages are lost");
        server.close().sync();
    }

    private void send(Traffic traffic, int count) throws Exception {
        Channel server = traffic.bind(kind, traffic.address(kind), () -> new Sender(traffic, count));
        Python python = traffic.start("receive_all", kind, Traffic.hex(traffic.address(kind)), count);
        python.expect("done");
        python.succeed();
        server.close().sync();
    }

    private static final class Receiver extends ChannelInboundHandlerAdapter {
        private final Traffic traffic;
        private final Incoming peer = new Incoming();

        Receiver(Traffic traffic) {
            this.traffic = traffic;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
            traffic.received.add(peer.add((UnixMessage) message));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            traffic.failed(cause);
        }
    }

    /** Sends to the one that has asked for it, as long as the channel is writable. */
    private static final class Sender extends ChannelInboundHandlerAdapter {
        private final Traffic traffic;
        private final int count;
        private UnixSocketAddress recipient;
        private boolean asked;
        private int number;

        Sender(Traffic traffic, int count) {
            this.traffic = traffic;
            this.count = count;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
            asked = true;
            recipient = message instanceof UnixDatagramPacket packet ? packet.sender() : null;
            new Incoming().add((UnixMessage) message);
            send(ctx);
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            send(ctx);
        }

        private void send(ChannelHandlerContext ctx) {
            while (asked && number < count && ctx.channel().isWritable()) {
                traffic.write(ctx, number++, recipient);
            }
            ctx.flush();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            traffic.failed(cause);
        }
    }
}
