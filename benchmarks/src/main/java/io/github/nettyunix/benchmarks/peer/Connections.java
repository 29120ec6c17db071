package io.github.nettyunix.benchmarks.peer;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.net.SocketAddress;

/** The client connects, sends one byte and waits until the server has closed the connection; then it does so again. */
final class Connections {
    private static final ByteBuf BYTE =
            Unpooled.unreleasableBuffer(Unpooled.directBuffer(1).writeByte('!')).asReadOnly();

    private Connections() {
    }

    static final class ServerHandler extends ChannelInboundHandlerAdapter {
        private final Counters counters;

        ServerHandler(Counters counters) {
            this.counters = counters;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            if (buffer.readableBytes() != 1) {
                counters.error();
            }
            buffer.release();
            counters.one();
            context.close();
        }
    }

    static final class ConnectClient extends NettyClient {
        private final Bootstrap bootstrap;
        private final SocketAddress server;

        ConnectClient(Bootstrap bootstrap, SocketAddress server) {
            this.bootstrap = bootstrap;
            this.server = server;
        }

        @Override
        ChannelHandler newHandler() {
            return new ChannelInboundHandlerAdapter() {
                @Override
                public void channelActive(ChannelHandlerContext context) {
                    context.writeAndFlush(BYTE.duplicate(), context.voidPromise());
                }

                @Override
                public void channelInactive(ChannelHandlerContext context) {
                    messages++;
                    proceed();
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                    errors++;
                    context.close();
                }
            };
        }

        @Override
        void proceed() {
            if (isOver(System.nanoTime())) {
                done(null);
            } else {
                bootstrap.connect(server).addListener(future -> {
                    if (!future.isSuccess()) {
                        fail(future.cause());
                    }
                });
            }
        }
    }
}
