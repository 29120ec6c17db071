package io.github.nettyunix.connect;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Buffers;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Connections are opened and closed as fast as possible; each gets a greeting, and each is closed at both ends. */
@ExtendWith(LeakCheckExtension.class)
class ConnectionStormTest {
    private static final int AT_ONCE = 50;

    @TempDir
    private Path folder;
    private final Buffers buffers = new Buffers();
    private final Queue<Throwable> errors = new ConcurrentLinkedQueue<>();

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectionsComeAndGo(SocketType type) throws Exception {
        storm(type, 1_000, 30);
    }

    @Tag("soak")
    @Timeout(1800)
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void manyConnectionsComeAndGo(SocketType type) throws Exception {
        storm(type, 50_000, 1_700);
    }

    private void storm(SocketType type, int connections, int seconds) throws Exception {
        CountDownLatch served = new CountDownLatch(connections);
        CountDownLatch greeted = new CountDownLatch(connections);
        Channel server = Channels.server(type, () -> new Greeter(served))
                .childOption(ChannelOption.ALLOCATOR, buffers.allocator())
                // Fewer than connect at once: some have to wait.
                .option(ChannelOption.SO_BACKLOG, AT_ONCE / 2)
                .bind(UnixSocketAddress.of(folder.resolve("server"))).sync().channel();
        Bootstrap bootstrap = Channels.client(type, new Guest(greeted))
                .option(ChannelOption.ALLOCATOR, buffers.allocator());
        for (int i = 0; i < AT_ONCE; i++) {
            int mine = connections / AT_ONCE;
            connect(bootstrap, server, mine);
        }
        boolean done = greeted.await(seconds, TimeUnit.SECONDS) && served.await(seconds, TimeUnit.SECONDS);
        assertEquals(0, errors.size(), () -> "" + errors.peek());
        assertTrue(done, () -> "of " + connections + " connections, not greeted: " + greeted.getCount()
                + ", not ended: " + served.getCount());
        server.close().sync();
        buffers.assertAllReleased();
        Evidence.of("itself", connections + " " + type + " connections come and go, and leave nothing");
    }

    /** One connection after another. */
    private void connect(Bootstrap bootstrap, Channel server, int left) {
        if (left > 0) {
            bootstrap.connect(server.localAddress()).addListener((ChannelFutureListener) future -> {
                if (future.isSuccess()) {
                    future.channel().closeFuture().addListener(closed -> connect(bootstrap, server, left - 1));
                } else {
                    errors.add(future.cause());
                }
            });
        }
    }

    private final class Greeter extends ChannelInboundHandlerAdapter {
        private final CountDownLatch served;

        Greeter(CountDownLatch served) {
            this.served = served;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.writeAndFlush(ctx.alloc().buffer().writeInt(1));
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            served.countDown();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            errors.add(cause);
        }
    }

    /** Leaves when it has been greeted. */
    @ChannelHandler.Sharable
    private final class Guest extends ChannelInboundHandlerAdapter {
        private final CountDownLatch greeted;

        Guest(CountDownLatch greeted) {
            this.greeted = greeted;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
            greeted.countDown();
            ctx.close();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            errors.add(cause);
        }
    }
}
