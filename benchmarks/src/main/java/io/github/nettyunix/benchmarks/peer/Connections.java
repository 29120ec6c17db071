package io.github.nettyunix.benchmarks.peer;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.net.SocketAddress;
import java.util.List;

/**
 * One after the other: the client connects, sends one byte and closes. The server hangs up when it has the byte, and the client
 * waits for that.
 */
final class Connections {
    private static final ByteBuf BYTE = Unpooled.unreleasableBuffer(Unpooled.directBuffer(1).writeByte('!')).asReadOnly();

    private Connections() {
    }

    static final class ServerHandler extends ChannelInboundHandlerAdapter {
        private final Tally tally;

        ServerHandler(Tally tally) {
            this.tally = tally;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            if (buffer.readableBytes() != 1) {
                tally.error();
            }
            buffer.release();
            tally.one();
            context.close();
        }
    }

    static final class ConnectClient extends NettyClient {
        private final Bootstrap bootstrap;
        private final SocketAddress address;
        private long connections;
        private long errors;

        ConnectClient(Bootstrap bootstrap, SocketAddress address) {
            this.bootstrap = bootstrap;
            this.address = address;
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
                    connections++;
                    next();
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                    errors++;
                    context.close();
                }
            };
        }

        @Override
        void start(List<Channel> channels) {
            connections = 0;
            errors = 0;
            next();
        }

        private void next() {
            if (!isOver(System.nanoTime())) {
                bootstrap.connect(address).addListener(future -> {
                    if (!future.isSuccess()) {
                        fail(future.cause());
                    }
                });
            } else {
                done(connections, errors, null);
            }
        }
    }
}
