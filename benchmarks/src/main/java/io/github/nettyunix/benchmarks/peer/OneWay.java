package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultFileRegion;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.util.List;

/** The client sends as fast as the server reads. */
final class OneWay {
    private OneWay() {
    }

    /** Of messages: frames, records or datagrams. */
    static final class Receiver extends ChannelInboundHandlerAdapter {
        private final Tally tally;

        Receiver(Tally tally) {
            this.tally = tally;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof ByteBuf buffer) {
                count(buffer);
                buffer.release();
            } else {
                ByteBufHolder holder = (ByteBufHolder) message;
                count(holder.content());
                holder.release();
            }
        }

        private void count(ByteBuf buffer) {
            int start = buffer.readerIndex();
            tally.message(buffer.readableBytes(), buffer.getInt(start), buffer.getLong(start + Integer.BYTES));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            cause.printStackTrace();
            tally.error();
        }
    }

    /** Of messages that are too long to be put together. */
    static final class StreamReceiver extends ChannelInboundHandlerAdapter {
        private final int size;
        private final Tally tally;
        private final ByteBuf header = Unpooled.buffer(Settings.HEADER, Settings.HEADER);
        private int offset;

        StreamReceiver(int size, Tally tally) {
            this.size = size;
            this.tally = tally;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            while (buffer.isReadable()) {
                if (offset < Settings.HEADER) {
                    int part = Math.min(header.writableBytes(), buffer.readableBytes());
                    buffer.readBytes(header, part);
                    offset += part;
                } else {
                    int part = Math.min(size - offset, buffer.readableBytes());
                    buffer.skipBytes(part);
                    offset += part;
                    if (offset == size) {
                        tally.message(size, header.readInt(), header.readLong());
                        header.clear();
                        offset = 0;
                    }
                }
            }
            buffer.release();
        }
    }

    /** Writes while the channel is writable, and flushes every 64 messages. */
    static class Sender extends NettyClient {
        private final int size;
        private Channel channel;
        private boolean running;
        private boolean sending;
        private long sent;

        Sender(Settings settings) {
            size = settings.size();
        }

        @Override
        final ChannelHandler newHandler() {
            return new ChannelInboundHandlerAdapter() {
                @Override
                public void channelWritabilityChanged(ChannelHandlerContext context) {
                    if (running && !sending && context.channel().isWritable()) {
                        send();
                    }
                }
            };
        }

        @Override
        final void start(List<Channel> channels) {
            channel = channels.get(0);
            sent = 0;
            running = true;
            send();
        }

        Object newMessage(Channel channel, long number) {
            return NettyContestant.newMessage(channel, size, number);
        }

        private void send() {
            sending = true;
            while (channel.isWritable()) {
                int batch = 0;
                while (batch < Settings.BATCH && channel.isWritable()) {
                    channel.write(newMessage(channel, sent++), channel.voidPromise());
                    batch++;
                }
                if (isOver(System.nanoTime())) {
                    running = false;
                    channel.writeAndFlush(newMessage(channel, sent++)).addListener(future -> {
                        if (future.isSuccess()) {
                            done(sent, 0, null);
                        } else {
                            fail(future.cause());
                        }
                    });
                    break;
                }
                channel.flush();
            }
            sending = false;
        }
    }

    /** Writes a large message again as soon as the one before has left. */
    private abstract static class LargeSender extends NettyClient implements ChannelFutureListener {
        private Channel channel;
        private long sent;

        abstract ChannelFuture write(Channel channel, long number);

        @Override
        final ChannelHandler newHandler() {
            return new ChannelInboundHandlerAdapter();
        }

        @Override
        final void start(List<Channel> channels) {
            channel = channels.get(0);
            sent = 0;
            next();
        }

        private void next() {
            write(channel, sent++).addListener(this);
        }

        @Override
        public final void operationComplete(ChannelFuture future) {
            if (!future.isSuccess()) {
                fail(future.cause());
            } else if (isOver(System.nanoTime())) {
                done(sent, 0, null);
            } else {
                next();
            }
        }
    }

    /** Of a buffer, always the same one. */
    static final class PayloadSender extends LargeSender {
        private final ByteBuf payload;

        PayloadSender(Settings settings) {
            payload = Unpooled.directBuffer(settings.size(), settings.size()).writeZero(settings.size());
            payload.setInt(0, settings.size() - Integer.BYTES);
        }

        @Override
        ChannelFuture write(Channel channel, long number) {
            payload.setLong(Integer.BYTES, number);
            return channel.writeAndFlush(payload.retainedDuplicate());
        }
    }

    /** Of a header and a file, which is opened for each message as a server does it. */
    static final class FileSender extends LargeSender {
        private final int size;
        private final File file;

        FileSender(Settings settings) throws IOException {
            size = settings.size();
            file = File.createTempFile("payload", null, settings.folder().toFile());
            try (RandomAccessFile content = new RandomAccessFile(file, "rw")) {
                content.write(new byte[size - Settings.HEADER]);
            }
        }

        @Override
        ChannelFuture write(Channel channel, long number) {
            channel.write(channel.alloc().directBuffer(Settings.HEADER).writeInt(size - Integer.BYTES).writeLong(number),
                    channel.voidPromise());
            return channel.writeAndFlush(new DefaultFileRegion(file, 0, size - Settings.HEADER));
        }
    }
}
