package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixFileDescriptor.Type;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import io.netty.channel.unix.UnixChannelOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Descriptors beside the bytes, and of certain types only. */
@ExtendWith(LeakCheckExtension.class)
class FileDescriptorHandlersTest {
    private static ChannelPair start(SocketType type, ChannelHandler... handlers) throws InterruptedException {
        return ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(handlers);
    }

    private static void send(ChannelPair pair, String text, UnixFileDescriptor... fds) throws InterruptedException {
        pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer(text), fds)).sync();
    }

    /** Runs a call on the event loop, to which the handler belongs. */
    private interface Action<V> extends java.util.concurrent.Callable<V> {
    }

    private static <V> V onLoop(ChannelPair pair, Action<V> action) throws Exception {
        return pair.receiver.eventLoop().submit(action).get();
    }

    @Setup.Connections
    void bytesAndDescriptorsArriveSideBySideInOrder(Setup setup) throws Exception {
        List<String> labels = Collections.synchronizedList(new ArrayList<>());
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler();
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                input()
                send(sock, b"none|")
                send(sock, b"two|", [labelled("1"), labelled("2")])
                send(sock, b"one|", [labelled("3")])
                wait_for_end()
                """)) {
            connection.channel().pipeline().addFirst(queue, new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) throws IOException {
                    for (UnixFileDescriptor fd; (fd = queue.poll()) != null;) {
                        labels.add(Content.label(fd));
                        fd.release();
                    }
                    ctx.fireChannelRead(message);
                }
            });
            ChannelPair.settle(connection.channel());
            connection.python().say("ready");
            StringBuilder text = new StringBuilder();
            while (text.length() < "none|two|one|".length()) {
                text.append(ChannelPair.text(connection.inbox().take(ByteBuf.class)));
            }
            assertEquals("none|two|one|", text.toString());
            assertEquals(List.of("1", "2", "3"), labels);
            connection.end();
        }
        Evidence.of("CPython", "bytes and descriptors side by side, " + setup);
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void descriptorsAreTakenWhenTheyAreWantedAndWhatIsLeftIsClosed(SocketType type) throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler(5);
        try (ChannelPair pair = start(type, queue)) {
            send(pair, "x", Descriptors.some(2));
            send(pair, "x", Descriptors.some(3));
            pair.text();
            while (onLoop(pair, queue::size) < 5) {
                pair.text();
            }
            assertThrows(NoSuchElementException.class, () -> queue.take(6));
            UnixFileDescriptor[] fds = onLoop(pair, () -> queue.take(3));
            assertEquals(List.of("file 0", "file 1", "file 0"),
                    List.of(Descriptors.text(fds[0]), Descriptors.text(fds[1]), Descriptors.text(fds[2])));
            Arrays.stream(fds).forEach(UnixFileDescriptor::release);
            assertEquals(2, onLoop(pair, queue::size));
            pair.sender.close().sync();
            Object last;
            do {
                last = pair.inbox.take();
            } while (last instanceof ByteBuf buffer && !buffer.release());
            assertSame(RecordingHandler.INACTIVE, last instanceof ByteBuf ? pair.inbox.take() : last);
            ChannelPair.settle(pair.receiver);
            assertEquals(0, queue.size());
            assertNull(queue.poll());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void moreThanMayWaitCloseTheChannel(SocketType type) throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler(2);
        try (ChannelPair pair = start(type, queue)) {
            send(pair, "fits", Descriptors.some(2));
            assertEquals("fits", pair.text());
            send(pair, "too many", Descriptors.some(1));
            FileDescriptorRefusedException refused = pair.inbox.take(FileDescriptorRefusedException.class);
            assertEquals("read EACCES " + type, refused.operation() + ' ' + refused.errnoName() + ' '
                    + refused.socketType());
            assertTrue(refused.getMessage().startsWith("3 descriptors would wait on ")
                    && refused.getMessage().endsWith("the limit is 2"), refused.getMessage());
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertEquals(0, queue.size());
        }
        Evidence.of("itself", "more descriptors than may wait close the " + type + " channel, and none stays open");
    }

    @Test
    void removedHandlerClosesWhatItHas() throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler();
        try (ChannelPair pair = start(SocketType.STREAM, queue)) {
            send(pair, "x", Descriptors.some(2));
            pair.text();
            pair.receiver.pipeline().remove(queue);
            ChannelPair.settle(pair.receiver);
            assertEquals(0, queue.size());
            send(pair, "y", Descriptors.some(1));
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            assertEquals(1, message.fileDescriptors().size());
            message.release();
        }
    }

    @Test
    void descriptorThatWasReleasedTooOftenKeepsNoOtherOneOpen() throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler();
        List<UnixFileDescriptor> arrived = Collections.synchronizedList(new ArrayList<>());
        try (ChannelPair pair = start(SocketType.STREAM, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                arrived.addAll(((UnixMessage) message).fileDescriptors());
                ctx.fireChannelRead(message);
            }
        }, queue)) {
            send(pair, "x", Descriptors.some(3));
            pair.text();
            arrived.get(0).release();
            pair.receiver.pipeline().remove(queue);
            ChannelPair.settle(pair.receiver);
            assertEquals(0, Descriptors.countOpen(arrived.toArray(new UnixFileDescriptor[0])));
        }
    }

    @Test
    void datagramsKeepTheirSender() throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler();
        try (ChannelPair pair = start(SocketType.DATAGRAM, queue)) {
            send(pair, "x", Descriptors.some(1));
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            assertEquals(1, message.fileDescriptors().size());
            message.release();
        }
    }

    @Test
    void plainDescriptorsOfAnotherTypeAreRefusedToo() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM)
                .with(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS)
                .start(new FileDescriptorTypeHandler(Type.MEMFD))) {
            pair.sender.writeAndFlush(Descriptors.some(1)[0]).sync();
            pair.inbox.take(FileDescriptor.class).close();
            pair.sender.writeAndFlush(UnixFileDescriptor.open(Path.of("/dev/null"))).sync();
            pair.inbox.take(FileDescriptorRefusedException.class);
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }

    @EachType
    void whatIsNotOfAnAllowedTypeIsRefused(SocketType type) throws Exception {
        try (ChannelPair pair = start(type, new FileDescriptorTypeHandler(Type.MEMFD, Type.REGULAR_FILE))) {
            send(pair, "none");
            assertEquals("none", pair.text());
            send(pair, "files", Descriptors.some(2));
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            assertEquals(2, message.fileDescriptors().size());
            message.release();
            send(pair, "and a device", Descriptors.some(1)[0], UnixFileDescriptor.open(Path.of("/dev/null")));
            assertEquals("a descriptor of type CHARACTER_DEVICE came in, allowed are [REGULAR_FILE, MEMFD]",
                    pair.inbox.take(FileDescriptorRefusedException.class).getMessage());
            if (type == SocketType.STREAM) {
                assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            } else {
                send(pair, "more", Descriptors.some(1));
                assertEquals("more", pair.text());
            }
        }
        Evidence.of("itself", "a descriptor of another type than allowed is refused, " + type);
    }

    @EachType
    void descriptorsAboveTheLimitAreRefusedUntilOthersAreClosed(SocketType type) throws Exception {
        try (ChannelPair pair = start(type, new FileDescriptorLimitHandler(3))) {
            List<UnixFileDescriptor> held = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                send(pair, "kept", Descriptors.some(1));
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                held.add(message.fileDescriptors().get(0).retain());
                message.release();
            }
            // What was released makes room for what arrives next.
            for (int i = 0; i < 4; i++) {
                send(pair, "let go", Descriptors.some(1));
                assertEquals("let go", pair.text());
            }
            if (type != SocketType.STREAM) {
                send(pair, "too many", Descriptors.some(2));
                assertEquals("2 more came in, 2 that came before are still open, the limit is 3",
                        pair.inbox.take(FileDescriptorRefusedException.class).getMessage());
            }
            held.remove(0).release();
            send(pair, "fits", Descriptors.some(2));
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            assertEquals(2, message.fileDescriptors().size());
            send(pair, "none");
            assertEquals("none", pair.text());
            send(pair, "one too many", Descriptors.some(1));
            assertEquals("1 more came in, 3 that came before are still open, the limit is 3",
                    pair.inbox.take(FileDescriptorRefusedException.class).getMessage());
            if (type == SocketType.STREAM) {
                assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            }
            assertTrue(pair.inbox.isEmpty());
            message.release();
            held.remove(0).release();
        }
        Evidence.of("itself", "no more descriptors than allowed can be made to stay open, " + type);
    }

    @EachType
    void pidFdsCountAsDescriptorsThatAreOpen(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.SO_PASSPIDFD, true);
        try (ChannelPair pair = prepared.start(new FileDescriptorLimitHandler(1))) {
            send(pair, "x");
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            send(pair, "y");
            pair.inbox.take(FileDescriptorRefusedException.class);
            message.release();
        }
    }

    @EachType
    void untakenDescriptorsAreClosedAfterATimeout(SocketType type) throws Exception {
        if (type == SocketType.DATAGRAM) {
            return;
        }
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler(10, 50, TimeUnit.MILLISECONDS);
        try (ChannelPair pair = start(type, queue)) {
            // As an attacker would: the other end of the connection itself, so that it never ends by itself.
            send(pair, "x", UnixFileDescriptor.dup(((UnixChannel) pair.sender).fd()));
            assertEquals("x", pair.text());
            pair.sender.close().sync();
            assertTrue(pair.inbox.take(FileDescriptorRefusedException.class).getMessage()
                    .contains("for 50 ms or longer"));
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }

    @Test
    void descriptorsThatAreTakenInTimeNeedNoTimer() throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler(10, 1, TimeUnit.SECONDS);
        EmbeddedChannel channel = new EmbeddedChannel(queue);
        channel.freezeTime();
        channel.writeInbound(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(1)));
        channel.advanceTimeBy(900, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        channel.writeInbound(new UnixMessage(ChannelPair.buffer("y"), Descriptors.some(1)));
        queue.poll().release();
        // The second one has not waited long enough.
        channel.advanceTimeBy(200, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertEquals(1, queue.size());
        queue.poll().release();
        assertEquals(-1, channel.runScheduledPendingTasks());
        channel.advanceTimeBy(10, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertTrue(channel.isOpen());
        channel.finishAndReleaseAll();
    }
}
