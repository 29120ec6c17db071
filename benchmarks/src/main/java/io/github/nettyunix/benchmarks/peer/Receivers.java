package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixRecordPart;
import io.github.nettyunix.benchmarks.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;

/** The server's handlers for what {@link Senders} send. */
final class Receivers {
    private Receivers() {
    }

    /** Counts what arrives on a channel, and its failures. */
    abstract static class Receiver extends ChannelInboundHandlerAdapter {
        final Counters counters;

        Receiver(Counters counters) {
            this.counters = counters;
        }

        @Override
        public final void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            cause.printStackTrace();
            counters.error();
        }
    }

    /** Receives frames, records or datagrams. */
    static final class MessageReceiver extends Receiver {
        private final int descriptors;

        /** @param descriptors how many should arrive with each message */
        MessageReceiver(Counters counters, int descriptors) {
            super(counters);
            this.descriptors = descriptors;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof ByteBuf buffer) {
                count(buffer);
                buffer.release();
            } else {
                ByteBufHolder holder = (ByteBufHolder) message;
                count(holder.content());
                if (holder instanceof UnixMessage unix && unix.fileDescriptors().size() != descriptors) {
                    counters.error();
                }
                holder.release();
            }
        }

        private void count(ByteBuf buffer) {
            int start = buffer.readerIndex();
            counters.message(buffer.readableBytes(), buffer.getInt(start), buffer.getLong(start + Integer.BYTES));
        }
    }

    /** Receives messages that are too long to be assembled, from a stream or as parts of records. */
    static final class LargeReceiver extends Receiver {
        private final int size;
        private final ByteBuf header = Unpooled.buffer(Settings.HEADER, Settings.HEADER);
        private int offset;

        LargeReceiver(Counters counters, int size) {
            super(counters);
            this.size = size;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf buffer = message instanceof UnixRecordPart part ? part.content() : (ByteBuf) message;
            while (buffer.isReadable()) {
                boolean inHeader = offset < Settings.HEADER;
                int part = Math.min((inHeader ? Settings.HEADER : size) - offset, buffer.readableBytes());
                if (inHeader) {
                    buffer.readBytes(header, part);
                } else {
                    buffer.skipBytes(part);
                }
                offset += part;
                if (offset == size) {
                    counters.message(size, header.readInt(), header.readLong());
                    header.clear();
                    offset = 0;
                }
            }
            if (message instanceof UnixRecordPart part && part.isLast() != (offset == 0)) {
                counters.error();
            }
            buffer.release();
        }
    }

    /** Receives the descriptors of one of Netty's channels, and acknowledges them. */
    static final class PlainDescriptorReceiver extends Receiver {
        private int unacknowledged;

        PlainDescriptorReceiver(Counters counters) {
            super(counters);
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws IOException {
            ((FileDescriptor) message).close();
            counters.one();
            if (++unacknowledged == Settings.BATCH) {
                unacknowledged = 0;
                Senders.WindowedSender.acknowledge(context);
            }
        }
    }
}
