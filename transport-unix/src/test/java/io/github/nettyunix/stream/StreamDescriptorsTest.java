package io.github.nettyunix.stream;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Many messages with descriptors on a stream, which are written and read several at a time. */
@OnlyWith(SocketType.STREAM)
@ExtendWith(LeakCheckExtension.class)
class StreamDescriptorsTest {
    private static ChannelPair newPair() {
        return ChannelPair.of(SocketType.STREAM).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
    }

    private static UnixMessage message(String text, UnixFileDescriptor... fds) {
        return new UnixMessage(ChannelPair.buffer(text), fds);
    }

    /** Returns a message's text, with what its descriptors refer to in brackets. */
    private static String describe(UnixMessage message) throws Exception {
        StringBuilder description = new StringBuilder(Content.text(Content.bytes(message.content())));
        for (UnixFileDescriptor fd : message.fileDescriptors()) {
            description.append('[').append(Descriptors.text(fd)).append(']');
        }
        message.release();
        return description.toString();
    }

    @Test
    void bytesAndDescriptorsArriveOnceAndInOrderWhateverTheirSizes() throws Exception {
        Random random = new Random(1);
        int count = 300;
        UnixFileDescriptor[] fds = Descriptors.some(count);
        ByteBuf expected = Unpooled.buffer();
        ByteBuf arrived = Unpooled.buffer();
        try (ChannelPair pair = newPair().start()) {
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                byte[] bytes = new byte[1 + random.nextInt(i % 10 == 0 ? 100_000 : 100)];
                random.nextBytes(bytes);
                expected.writeBytes(bytes);
                writes.add(pair.sender.write(new UnixMessage(Unpooled.copiedBuffer(bytes), fds[i])));
                if (i % 7 == 0) {
                    expected.writeByte(i);
                    pair.sender.write(Unpooled.buffer(1).writeByte(i));
                }
            }
            pair.sender.flush();
            List<String> labels = new ArrayList<>();
            while (arrived.readableBytes() < expected.readableBytes()) {
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                arrived.writeBytes(message.content().duplicate());
                for (UnixFileDescriptor fd : message.fileDescriptors()) {
                    labels.add(Descriptors.text(fd));
                }
                message.release();
            }
            assertEquals(expected, arrived);
            assertEquals(IntStream.range(0, count).mapToObj(i -> "file " + i).toList(), labels);
            for (ChannelFuture write : writes) {
                write.sync();
            }
            assertEquals(0, Descriptors.countOpen(fds));
        }
        Evidence.of("itself", "300 messages with descriptors go over a stream, each once and in order");
    }

    @Test
    void cancelledMessageAmongOthersIsNotSent() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(4);
        try (ChannelPair pair = newPair().start()) {
            pair.sender.eventLoop().submit(() -> {
                pair.sender.write(message("a", fds[0]));
                assertTrue(pair.sender.write(message("b", fds[1])).cancel(false));
                assertTrue(pair.sender.write(ChannelPair.buffer("-")).cancel(false));
                pair.sender.write(message("c", fds[2]));
                pair.sender.writeAndFlush(message("d", fds[3]));
            }).sync();
            assertEquals("a[file 0]", describe(pair.inbox.take(UnixMessage.class)));
            assertEquals("c[file 2]", describe(pair.inbox.take(UnixMessage.class)));
            assertEquals("d[file 3]", describe(pair.inbox.take(UnixMessage.class)));
            assertEquals(0, Descriptors.countOpen(fds));
        }
    }

    @Test
    void descriptorClosedAmongOthersEndsTheOutput() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(3);
        try (ChannelPair pair = newPair().start()) {
            ChannelFuture[] writes = new ChannelFuture[3];
            pair.sender.eventLoop().submit(() -> {
                for (int i = 0; i < 3; i++) {
                    writes[i] = pair.sender.write(message("m" + i, fds[i]));
                }
                fds[1].close();
                // Its number has been reused by now.
                UnixFileDescriptor other = UnixFileDescriptor.open(Path.of("/dev/null"));
                pair.sender.flush();
                other.release();
                return null;
            }).sync();
            assertEquals("m0[file 0]", describe(pair.inbox.take(UnixMessage.class)));
            // Nothing may take the place of the missing message.
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertTrue(writes[0].sync().isSuccess());
            assertEquals("EBADF", ((UnixSocketError) ChannelPair.failure(writes[1])).errnoName());
            assertEquals("EBADF", ((UnixSocketError) ChannelPair.failure(writes[2])).errnoName());
            assertEquals(0, Descriptors.countOpen(fds));
        }
    }

    @Test
    void pauseAfterAnyMessageHoldsTheOthersBack() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(10);
        try (ChannelPair pair = newPair().with(ChannelOption.AUTO_READ, false)
                .start(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.channel().config().setAutoRead(false);
                ctx.fireChannelRead(message);
            }
        })) {
            for (int i = 0; i < 10; i++) {
                pair.sender.write(message("m" + i, fds[i]));
            }
            pair.sender.writeAndFlush(ChannelPair.buffer("end")).sync();
            for (int i = 0; i < 10; i++) {
                pair.receiver.config().setAutoRead(true);
                assertEquals("m" + i + "[file " + i + ']', describe(pair.inbox.take(UnixMessage.class)));
                ChannelPair.settle(pair.receiver);
                assertTrue(pair.inbox.isEmpty());
            }
            pair.receiver.read();
            assertEquals("end", describe(pair.inbox.take(UnixMessage.class)));
        }
    }

    @Test
    void piecesAreNoLongerThanTheAllocatorSays() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(3);
        try (ChannelPair pair = newPair()
                .with(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(1).maxMessagesPerRead(16))
                .start()) {
            pair.sender.write(ChannelPair.buffer("ab"));
            pair.sender.write(message("c", fds[0]));
            pair.sender.write(message("de", fds[1]));
            pair.sender.write(message("f", fds[2]));
            pair.sender.writeAndFlush(ChannelPair.buffer("g")).sync();
            for (String piece : List.of("a", "b", "c[file 0]", "d[file 1]", "e", "f[file 2]", "g")) {
                assertEquals(piece, describe(pair.inbox.take(UnixMessage.class)));
            }
        }
    }

    @Test
    void tooManyDescriptorsEndTheStreamAfterTheMessagesBefore() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(8);
        try (ChannelPair pair = newPair().with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 1).start()) {
            for (int i = 0; i < 4; i++) {
                pair.sender.write(message("m" + i, fds[i]));
            }
            pair.sender.write(message("two", fds[4], fds[5]));
            pair.sender.write(message("m5", fds[6]));
            pair.sender.writeAndFlush(message("m6", fds[7])).sync();
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < 4; i++) {
                assertEquals("m" + i + "[file " + i + ']', describe(pair.inbox.take(UnixMessage.class)));
            }
            pair.inbox.take(ControlDataTruncatedException.class);
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertFalse(pair.receiver.isOpen());
            assertTrue(pair.inbox.isEmpty());
        }
    }

    @Test
    void allThatAPeerHadSentIsReadBeforeItsResetIsReported() throws Exception {
        try (ChannelPair pair = newPair().with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.AUTO_READ, false)
                .start()) {
            pair.receiver.writeAndFlush(ChannelPair.buffer("unread")).sync();
            UnixFileDescriptor[] fds = Descriptors.some(10);
            for (int i = 0; i < fds.length; i++) {
                pair.sender.writeAndFlush(message("message " + i, fds[i])).sync();
            }
            pair.sender.close().sync();
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < fds.length; i++) {
                assertEquals("message " + i + "[file " + i + "]", describe(pair.inbox.take(UnixMessage.class)));
            }
            String error = pair.inbox.take(IOException.class).getMessage();
            assertTrue(error.contains("ECONNRESET"), error);
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
        Evidence.of("itself", "messages with descriptors on a stream are read before the reset that came behind "
                + "them is reported");
    }

    /** Its messages are received in one system call, which reports the reset first. */
    @Test
    void allThatATrustedPeerHadSentIsReadBeforeItsResetIsReported() throws Exception {
        try (ChannelPair pair = newPair().withSender(ChannelOption.AUTO_READ, false).start()) {
            UnixFileDescriptor fd = Content.labelled("the file");
            for (int i = 0; i < 12; i++) {
                UnixFileDescriptor[] fds = new UnixFileDescriptor[100];
                for (int j = 0; j < fds.length; j++) {
                    fds[j] = fd.retain();
                }
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("many"), fds)).sync();
                pair.inbox.take(UnixMessage.class).release();
            }
            pair.receiver.config().setAutoRead(false);
            pair.receiver.writeAndFlush(ChannelPair.buffer("unread")).sync();
            for (int i = 0; i < 10; i++) {
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("message " + i), fd.retain())).sync();
            }
            fd.release();
            pair.sender.close().sync();
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < 10; i++) {
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                assertEquals("message " + i, message.content().toString(StandardCharsets.UTF_8));
                assertEquals(1, message.fileDescriptors().size());
                message.release();
            }
            String error = pair.inbox.take(IOException.class).getMessage();
            assertTrue(error.contains("ECONNRESET"), error);
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
        Evidence.of("itself", "messages of a trusted peer on a stream are read before its reset is reported");
    }
}
