package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.HdrHistogram.Histogram;

/** The server sends back what it receives; the client has one message in flight per connection. */
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
        private final Histogram latencies;
        private long last;
        private int inFlight;

        EchoClient(Settings settings) {
            size = settings.size();
            latencies = JavaSystem.newLatencies(settings);
        }

        @Override
        ChannelHandler newHandler() {
            return new ClientHandler();
        }

        @Override
        void proceed() {
            inFlight = channels().size();
            if (latencies != null) {
                latencies.reset();
            }
            last = System.nanoTime();
            for (Channel channel : channels()) {
                channel.pipeline().get(ClientHandler.class).send(channel);
            }
        }

        /** Called when a message is back; returns whether to send the next one. */
        private boolean count() {
            long now = System.nanoTime();
            if (latencies != null) {
                latencies.recordValue(now - last);
                last = now;
            }
            messages++;
            if (!isOver(now)) {
                return true;
            }
            if (--inFlight == 0) {
                done(latencies);
            }
            return false;
        }

        private final class ClientHandler extends ChannelInboundHandlerAdapter {
            private long number;
            private int missing;

            private void send(Channel channel) {
                missing = size;
                channel.writeAndFlush(Senders.newMessage(channel.alloc(), size, ++number), channel.voidPromise());
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
                if (missing <= 0 && count()) {
                    send(context.channel());
                }
            }
        }
    }
}
