package io.github.nettyunix.soak;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Python;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Connections, or connected datagram sockets, come and go: a message each way, and the end. Half of them are made by
 * Python to a server of ours, the other half by us to a server in Python.
 */
final class Connects implements Run {
    private static final int AT_ONCE = 8;

    private final Kind kind;

    Connects(Kind kind) {
        this.kind = kind;
    }

    @Override
    public String run(int count) throws Exception {
        try (Traffic traffic = new Traffic(false)) {
            serve(traffic, count / 2);
            connect(traffic, count / 2);
            traffic.end();
            return count + " connects, " + traffic.received.sum() + " messages received";
        }
    }

    private void serve(Traffic traffic, int count) throws Exception {
        UnixSocketAddress address = traffic.address(kind);
        Channel server = traffic.bind(kind, address, () -> new Answers(traffic) {
            @Override
            void received(Incoming peer) {
                // Of datagrams, the next one comes from another socket.
                forgetPeers();
            }
        });
        Python python = traffic.start("come_and_go", kind, Traffic.hex(address), count);
        python.expect("done");
        python.succeed();
        server.close().sync();
        traffic.await(() -> traffic.received.sum() == count, "messages of clients are lost");
    }

    private void connect(Traffic traffic, int count) throws Exception {
        UnixSocketAddress address = traffic.address(kind);
        Python python = traffic.start("serve", kind, Traffic.hex(address), count);
        python.expect("ready");
        Bootstrap client = traffic.client(kind, new Guest(traffic));
        AtomicInteger left = new AtomicInteger(count);
        AtomicInteger ended = new AtomicInteger();
        for (int i = 0; i < AT_ONCE; i++) {
            connect(traffic, client, address, left, ended);
        }
        python.expect("done");
        traffic.await(() -> ended.get() == count, "connections have not ended");
        python.succeed();
    }

    /** One connection after another. */
    private void connect(Traffic traffic, Bootstrap client, UnixSocketAddress address, AtomicInteger left,
                         AtomicInteger ended) {
        if (left.getAndDecrement() <= 0) {
            return;
        }
        ChannelFuture connected = kind == Kind.DATAGRAM
                ? client.connect(address, UnixSocketAddress.autobind()) : client.connect(address);
        connected.addListener((ChannelFutureListener) future -> {
            if (future.isSuccess()) {
                future.channel().closeFuture().addListener(closed -> {
                    ended.incrementAndGet();
                    connect(traffic, client, address, left, ended);
                });
            } else {
                traffic.failed(future.cause());
            }
        });
    }

    /** Leaves when it has been answered. */
    @ChannelHandler.Sharable
    private static final class Guest extends ChannelInboundHandlerAdapter {
        private final Traffic traffic;

        Guest(Traffic traffic) {
            this.traffic = traffic;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            traffic.write(ctx, 0, null);
            ctx.flush();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
            traffic.received.add(new Incoming().add((UnixMessage) message));
            ctx.close();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            traffic.failed(cause);
        }
    }
}
