package io.github.nettyunix.examples.broker;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.CombinedChannelDuplexHandler;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.MessageToMessageEncoder;
import io.netty.handler.codec.TooLongFrameException;

import java.util.List;

/**
 * Divides a stream into messages. Each has a header with the number of its bytes (4 bytes) and the number of its
 * descriptors (1 byte). The other types of sockets have records and do not need it.
 */
final class Framing extends CombinedChannelDuplexHandler<Framing.Decoder, Framing.Encoder> {
    private static final int HEADER_LENGTH = 5;
    private static final int MAX_LENGTH = 1 << 16;

    private Framing(FileDescriptorQueueHandler arrived) {
        super(new Decoder(arrived), new Encoder());
    }

    static void addIfNeeded(Channel channel) {
        if (channel instanceof UnixStreamChannel) {
            FileDescriptorQueueHandler arrived = new FileDescriptorQueueHandler();
            channel.pipeline().addLast(arrived, new Framing(arrived));
        }
    }

    static final class Decoder extends ByteToMessageDecoder {
        // Descriptors arrive in the order in which they were sent, each with a byte of its message or earlier.
        private final FileDescriptorQueueHandler arrived;

        Decoder(FileDescriptorQueueHandler arrived) {
            this.arrived = arrived;
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            if (in.readableBytes() < HEADER_LENGTH) {
                return;
            }
            int length = in.getInt(in.readerIndex());
            int count = in.getUnsignedByte(in.readerIndex() + 4);
            if (length < 0 || length > MAX_LENGTH) {
                throw new TooLongFrameException("a message of " + length + " bytes");
            }
            if (in.readableBytes() < HEADER_LENGTH + length) {
                return;
            }
            // Take the descriptors before retaining the bytes: this throws if the sender has announced the wrong
            // number.
            UnixFileDescriptor[] fds = arrived.take(count);
            out.add(new UnixMessage(in.skipBytes(HEADER_LENGTH).readRetainedSlice(length), fds));
        }
    }

    static final class Encoder extends MessageToMessageEncoder<UnixMessage> {
        @Override
        protected void encode(ChannelHandlerContext ctx, UnixMessage message, List<Object> out) {
            ByteBuf header = ctx.alloc().buffer(HEADER_LENGTH);
            header.writeInt(message.content().readableBytes()).writeByte(message.fileDescriptors().size());
            out.add(header);
            out.add(message.retain());
        }
    }
}
