package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.util.Arrays;
import java.util.List;

/** The server sends back what it gets; the client has one message on its way on each connection. */
final class Echo {
    private Echo() {
    }

    static final class ServerHandler extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.write(message, context.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close();
        }
    }

    static final class EchoClient extends NettyClient {
        private final int size;
        private final int[] latencies;
        private long last;
        private long messages;
        private long errors;
        private int underWay;

        EchoClient(Settings settings) {
            size = settings.size();
            latencies = settings.count() == 1 ? new int[1 << 24] : null;
        }

        @Override
        ChannelHandler newHandler() {
            return new ClientHandler();
        }

        @Override
        void start(List<Channel> channels) {
            messages = 0;
            errors = 0;
            underWay = channels.size();
            last = System.nanoTime();
            for (Channel channel : channels) {
                channel.pipeline().get(ClientHandler.class).send(channel);
            }
        }

        /** A message is back; answers whether to send the next one. */
        private boolean back() {
            long now = System.nanoTime();
            if (latencies != null && messages < latencies.length) {
                latencies[(int) messages] = (int) (now - last);
                last = now;
            }
            messages++;
            if (!isOver(now)) {
                return true;
            }
            if (--underWay == 0) {
                done(messages, errors, latencies == null ? null
                        : Arrays.copyOf(latencies, (int) Math.min(messages, latencies.length)));
            }
            return false;
        }

        private final class ClientHandler extends ChannelInboundHandlerAdapter {
            private long number;
            private int missing;

            private void send(Channel channel) {
                missing = size;
                channel.writeAndFlush(NettyContestant.newMessage(channel, size, ++number), channel.voidPromise());
            }

            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                ByteBuf buffer = (ByteBuf) message;
                int length = buffer.readableBytes();
                if (length > missing || missing == size && length >= Settings.HEADER
                        && buffer.getLong(buffer.readerIndex() + Integer.BYTES) != number) {
                    errors++;
                }
                missing -= length;
                buffer.release();
                if (missing <= 0 && back()) {
                    send(context.channel());
                }
            }
        }
    }
}
