package io.github.nettyunix.examples.demo;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixStreamChannel;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.CombinedChannelDuplexHandler;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.MessageToMessageEncoder;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.ReferenceCountUtil;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;

/**
 * Makes messages of a stream, which has no borders: each goes after a header, the number of its bytes (4 bytes) and of its
 * descriptors (1 byte). The other types of sockets have records and do not need it.
 */
final class Framing extends CombinedChannelDuplexHandler<Framing.Decoder, Framing.Encoder> {
    private static final int HEADER_LENGTH = 5;
    private static final int MAX_LENGTH = 1 << 16;

    private Framing() {
        super(new Decoder(), new Encoder());
    }

    static void addIfNeeded(Channel channel) {
        if (channel instanceof UnixStreamChannel) {
            channel.pipeline().addLast(new Framing());
        }
    }

    /** What one read finds is any piece of the stream, with the descriptors that came with its bytes. */
    static final class Decoder extends ByteToMessageDecoder {
        // A descriptor arrives with a byte of its message or earlier, in the order in which all were sent.
        private final Queue<UnixFileDescriptor> arrived = new ArrayDeque<>();

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
            UnixMessage piece = (UnixMessage) message;
            try {
                piece.fileDescriptors().forEach(fd -> arrived.add(fd.retain()));
                super.channelRead(ctx, piece.content().retain());
            } finally {
                piece.release();
            }
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
            UnixFileDescriptor[] fds = new UnixFileDescriptor[count];
            for (int i = 0; i < count; i++) {
                fds[i] = arrived.remove();
            }
            out.add(new UnixMessage(in.skipBytes(HEADER_LENGTH).readRetainedSlice(length), fds));
        }

        @Override
        protected void handlerRemoved0(ChannelHandlerContext ctx) {
            arrived.forEach(ReferenceCountUtil::release);
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
