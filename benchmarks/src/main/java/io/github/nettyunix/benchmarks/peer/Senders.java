package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.SharedMemory;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.benchmarks.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.unix.FileDescriptor;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** Clients that send as fast as the server reads, over one connection. */
final class Senders {
    private static final Path DEV_NULL = Path.of("/dev/null");

    private Senders() {
    }

    /** Creates the message with a number; a large one it also writes. */
    interface Messages<T> {
        T next(Channel channel, long number);
    }

    /** A message whose header is written; the rest is whatever the memory contains. */
    static ByteBuf newMessage(ByteBufAllocator allocator, int size, long number) {
        ByteBuf message = allocator.directBuffer(size, size);
        message.setInt(0, size - Integer.BYTES).setLong(Integer.BYTES, number).writerIndex(size);
        return message;
    }

    /** Writes while the channel is writable, and flushes every 64 messages. */
    private static final class Sender extends NettyClient {
        private final Messages<?> source;
        private boolean running;
        private boolean sending;

        Sender(Messages<?> source) {
            this.source = source;
        }

        @Override
        ChannelHandler newHandler() {
            return new ChannelInboundHandlerAdapter() {
                @Override
                public void channelWritabilityChanged(ChannelHandlerContext context) {
                    if (running && !sending && context.channel().isWritable()) {
                        proceed();
                    }
                }
            };
        }

        @Override
        void proceed() {
            Channel channel = channels().get(0);
            running = true;
            sending = true;
            while (channel.isWritable()) {
                for (int i = 0; i < Settings.BATCH && channel.isWritable(); i++) {
                    channel.write(source.next(channel, messages++), channel.voidPromise());
                }
                if (isOver(System.nanoTime())) {
                    running = false;
                    channel.writeAndFlush(source.next(channel, messages++)).addListener(future -> {
                        if (future.isSuccess()) {
                            done(null);
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

    /** Writes the next large message as soon as the previous one has been sent. */
    private static final class LargeSender extends NettyClient implements ChannelFutureListener {
        private final Messages<ChannelFuture> writer;

        LargeSender(Messages<ChannelFuture> writer) {
            this.writer = writer;
        }

        @Override
        void proceed() {
            writer.next(channels().get(0), messages++).addListener(this);
        }

        @Override
        public void operationComplete(ChannelFuture future) {
            if (!future.isSuccess()) {
                fail(future.cause());
            } else if (isOver(System.nanoTime())) {
                done(null);
            } else {
                proceed();
            }
        }
    }

    /** Has a limited number of messages in flight. The server acknowledges each batch of them with a byte. */
    static final class WindowedSender extends NettyClient {
        private final int window;
        private final int batch;
        private final Messages<?> source;
        private long acknowledged;

        WindowedSender(int window, int batch, Messages<?> source) {
            this.window = window;
            this.batch = batch;
            this.source = source;
        }

        /** Called by the server. */
        static void acknowledge(ChannelHandlerContext context) {
            context.writeAndFlush(context.alloc().directBuffer(1).writeByte(1), context.voidPromise());
        }

        @Override
        ChannelHandler newHandler() {
            return new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext context, Object message) {
                    ByteBuf buffer = (ByteBuf) message;
                    acknowledged += (long) batch * buffer.readableBytes();
                    buffer.release();
                    send(context.channel());
                }
            };
        }

        @Override
        void proceed() {
            acknowledged = 0;
            send(channels().get(0));
        }

        private void send(Channel channel) {
            boolean over = isOver(System.nanoTime());
            while (!over && messages - acknowledged <= window - batch) {
                for (int i = 0; i < batch; i++) {
                    channel.write(source.next(channel, messages++), channel.voidPromise());
                }
                channel.flush();
                over = isOver(System.nanoTime());
            }
            if (over && acknowledged == messages) {
                done(null);
            }
        }
    }

    static NettyClient newMessageSender(int size) {
        return new Sender((channel, number) -> newMessage(channel.alloc(), size, number));
    }

    static NettyClient newInPlaceSender(int size) {
        return new Sender((channel, number) ->
                newMessage(SharedMemory.allocator(channel), size, number));
    }

    /** Sends a large buffer, always the same one. */
    static NettyClient newPayloadSender(int size) {
        ByteBuf payload = Unpooled.directBuffer(size, size).writeZero(size).setInt(0, size - Integer.BYTES);
        return new LargeSender((channel, number) ->
                channel.writeAndFlush(payload.setLong(Integer.BYTES, number).retainedDuplicate()));
    }

    /** Sends a header and a file, which is opened for each message, as servers do. */
    static NettyClient newFileSender(Settings settings) throws IOException {
        int length = settings.size() - Settings.HEADER;
        File file = settings.folder().resolve("payload").toFile();
        Files.write(file.toPath(), new byte[length]);
        return new LargeSender((channel, number) -> {
            ByteBuf header = channel.alloc().directBuffer(Settings.HEADER);
            channel.write(header.writeInt(settings.size() - Integer.BYTES).writeLong(number), channel.voidPromise());
            return channel.writeAndFlush(new DefaultFileRegion(file, 0, length));
        });
    }

    /** Sends descriptors with each message. */
    static NettyClient newDescriptorSender(Settings settings) throws IOException {
        UnixFileDescriptor passed = UnixFileDescriptor.open(DEV_NULL, StandardOpenOption.READ);
        return new Sender((channel, number) -> {
            passed.retain(settings.count());
            UnixFileDescriptor[] all = new UnixFileDescriptor[settings.count()];
            Arrays.fill(all, passed);
            return new UnixMessage(newMessage(channel.alloc(), settings.size(), number), all);
        });
    }

    /**
     * Sends descriptors over one of Netty's channels. These pass them one at a time, with a dummy byte, and break when
     * the kernel cannot take another one: therefore the number in flight is limited.
     */
    static NettyClient newPlainDescriptorSender() throws IOException {
        FileDescriptor passed = FileDescriptor.from(DEV_NULL.toFile());
        return new WindowedSender(3 * Settings.BATCH, Settings.BATCH, (channel, number) -> passed);
    }
}
