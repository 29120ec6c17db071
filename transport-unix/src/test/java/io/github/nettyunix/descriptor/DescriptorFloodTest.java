package io.github.nettyunix.descriptor;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.handler.FileDescriptorLimitHandler;
import io.github.nettyunix.handler.FileDescriptorRefusedException;
import io.github.nettyunix.handler.FileDescriptorTypeHandler;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A flood of descriptors arrives, half of them where nobody takes them; none stays open. */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class DescriptorFloodTest {
    private static final int MESSAGES_PER_CONNECTION = 100;
    private static final int DESCRIPTORS_PER_MESSAGE = 2;

    /** What happens to a connection's messages. */
    private enum Fate {
        SERVED, DROPPED_BY_THE_PIPELINE, OF_ANOTHER_TYPE, TOO_MANY_IN_A_MESSAGE, TOO_MANY_OPEN, CUT_BY_CLOSE
    }

    /**
     * The last handler of a receiver: handles the messages as their fate says, and closes the channel after the last
     * one.
     */
    private static final class Receiver extends ChannelInboundHandlerAdapter {
        private final Fate fate;
        int descriptors;
        int refusals;
        Throwable unexpected;

        Receiver(Fate fate) {
            this.fate = fate;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            UnixMessage unixMessage = (UnixMessage) message;
            ByteBuf content = unixMessage.content();
            boolean last = content.getByte(content.writerIndex() - 1) == '.';
            descriptors += unixMessage.fileDescriptors().size();
            if (fate == Fate.DROPPED_BY_THE_PIPELINE) {
                ctx.fireChannelRead(message);
            } else {
                unixMessage.release();
            }
            if (last || fate == Fate.CUT_BY_CLOSE && descriptors >= MESSAGES_PER_CONNECTION) {
                ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof FileDescriptorRefusedException || cause instanceof ControlDataTruncatedException) {
                refusals++;
            } else {
                unexpected = cause;
            }
        }
    }

    @EachType
    void everyDescriptorIsAccountedFor(SocketType type) throws Exception {
        flood(type, 10_000);
        Evidence.of("itself", "of very many descriptors none stays open, " + type);
    }

    @Tag("soak")
    @Timeout(1800)
    @EachType
    void everyDescriptorIsAccountedForInTheLongRun(SocketType type) throws Exception {
        flood(type, 100_000);
        Evidence.of("itself", "of 200000 descriptors none stays open, " + type);
    }

    private static void flood(SocketType type, int messages) throws Exception {
        UnixFileDescriptor fd = Content.labelled("sent many times");
        Fate[] fates = Fate.values();
        for (int i = 0; i < messages / MESSAGES_PER_CONNECTION; i++) {
            Fate fate = i % 2 == 0 ? Fate.SERVED : fates[1 + i / 2 % (fates.length - 1)];
            Receiver receiver = send(type, fate, fd);
            if (receiver.unexpected != null) {
                throw new AssertionError(fate.toString(), receiver.unexpected);
            }
            if (fate == Fate.SERVED || fate == Fate.DROPPED_BY_THE_PIPELINE) {
                assertEquals(MESSAGES_PER_CONNECTION * DESCRIPTORS_PER_MESSAGE, receiver.descriptors, fate::toString);
                assertEquals(0, receiver.refusals, fate::toString);
            } else if (fate == Fate.CUT_BY_CLOSE) {
                assertEquals(MESSAGES_PER_CONNECTION, receiver.descriptors);
            } else {
                assertEquals(0, receiver.descriptors, fate::toString);
                // A stream is no longer read.
                assertEquals(type == SocketType.STREAM ? 1 : MESSAGES_PER_CONNECTION, receiver.refusals,
                        fate::toString);
            }
        }
        assertEquals(1, fd.refCnt());
        assertTrue(fd.release());
    }

    /** Sends the messages of one connection, until their receiver closes it. */
    private static Receiver send(SocketType type, Fate fate, UnixFileDescriptor fd) throws Exception {
        List<? extends Channel> pair = Channels.pair(type);
        Channel sender = pair.get(0);
        Channel channel = pair.get(1);
        channel.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        channel.config().setOption(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE,
                fate == Fate.TOO_MANY_IN_A_MESSAGE ? 1 : 2);
        Receiver receiver = new Receiver(fate);
        ChannelHandler policy = switch (fate) {
            case OF_ANOTHER_TYPE -> new FileDescriptorTypeHandler(UnixFileDescriptor.Type.PIPE);
            case TOO_MANY_OPEN -> new FileDescriptorLimitHandler(1);
            default -> new ChannelInboundHandlerAdapter();
        };
        Channels.register(channel, policy, receiver);
        Channels.register(sender, new RecordingHandler());
        sender.eventLoop().execute(() -> {
            for (int i = 0; i < MESSAGES_PER_CONNECTION; i++) {
                sender.write(new UnixMessage(Unpooled.directBuffer(1).writeByte('x'), fd.retain(), fd.retain()));
            }
            sender.writeAndFlush(Content.of("."));
        });
        channel.closeFuture().sync();
        sender.close().sync();
        // Their last events, and what they still release, come after that.
        ChannelPair.settle(channel);
        ChannelPair.settle(sender);
        return receiver;
    }
}
