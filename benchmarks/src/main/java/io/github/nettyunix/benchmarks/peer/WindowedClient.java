package io.github.nettyunix.benchmarks.peer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.util.List;

/** A client with a limited number of messages under way: the server answers every batch of them with a byte. */
abstract class WindowedClient extends NettyClient {
    private final int window;
    private final int batch;
    private Channel channel;
    private long sent;
    private long acknowledged;

    WindowedClient(int window, int batch) {
        this.window = window;
        this.batch = batch;
    }

    /** Writes a message; it is flushed afterwards. */
    abstract void write(Channel channel, long number);

    /** The server's answer. */
    static void acknowledge(ChannelHandlerContext context) {
        context.writeAndFlush(context.alloc().directBuffer(1).writeByte(1), context.voidPromise());
    }

    @Override
    final ChannelHandler newHandler() {
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object message) {
                ByteBuf buffer = (ByteBuf) message;
                acknowledged += (long) batch * buffer.readableBytes();
                buffer.release();
                send();
            }
        };
    }

    @Override
    final void start(List<Channel> channels) {
        channel = channels.get(0);
        sent = 0;
        acknowledged = 0;
        send();
    }

    private void send() {
        boolean over = isOver(System.nanoTime());
        while (!over && sent - acknowledged <= window - batch) {
            for (int i = 0; i < batch; i++) {
                write(channel, sent++);
            }
            channel.flush();
            over = isOver(System.nanoTime());
        }
        if (over && acknowledged == sent) {
            done(sent, 0, null);
        }
    }
}
