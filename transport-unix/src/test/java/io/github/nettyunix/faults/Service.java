package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Servers that send back what they receive, and clients that check it, on event loops whose calls do not fail. */
final class Service {
    /** Sends back whatever arrives. */
    static final class Echo extends ChannelInboundHandlerAdapter {
        private static final AtomicInteger CONNECTIONS = new AtomicInteger();

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            CONNECTIONS.incrementAndGet();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            CONNECTIONS.decrementAndGet();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ctx.writeAndFlush(message);
        }
    }

    /** Keeps what is reported. */
    @ChannelHandler.Sharable
    static final class Reports extends ChannelInboundHandlerAdapter {
        final List<Throwable> caught = new CopyOnWriteArrayList<>();

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            caught.add(cause);
        }
    }

    private Service() {
    }

    /** Checks that a server, or a datagram channel, whose inbox that is, can be reached at an address. */
    static void assertServes(SocketType type, SocketAddress address, RecordingHandler datagrams) throws Exception {
        RecordingHandler inbox = new RecordingHandler();
        Channel client = Channels.client(type, inbox).connect(address).sync().channel();
        client.writeAndFlush(ChannelPair.buffer("hello")).sync();
        assertEquals("hello", ChannelPair.text((type == SocketType.DATAGRAM ? datagrams : inbox).take()));
        client.close().sync();
        Outcome.awaitPlainly(() -> Echo.CONNECTIONS.get() == 0, "the end of the connection");
    }

    /** Starts a server, or a datagram channel with that inbox, on a loop whose calls do not fail. */
    static Channel start(SocketType type, SocketAddress address, RecordingHandler datagrams) throws Exception {
        return type == SocketType.DATAGRAM ? Channels.client(type, datagrams).bind(address).sync().channel()
                : Channels.server(Loops.group(), type, Echo::new).bind(address).sync().channel();
    }
}
