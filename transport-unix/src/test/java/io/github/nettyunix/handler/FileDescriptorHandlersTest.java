package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixFileDescriptor.Type;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Meeting;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Way;
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
@ExtendWith(NothingLeft.class)
class FileDescriptorHandlersTest {
    private static Ends start(SocketType type, ChannelHandler... handlers) throws InterruptedException {
        return Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(handlers);
    }

    private static void send(Ends ends, String text, UnixFileDescriptor... fds) throws InterruptedException {
        ends.sender.writeAndFlush(new UnixMessage(Ends.buffer(text), fds)).sync();
    }

    /** What is the event loop's is asked there. */
    private interface Action<V> extends java.util.concurrent.Callable<V> {
    }

    private static <V> V onLoop(Ends ends, Action<V> action) throws Exception {
        return ends.receiver.eventLoop().submit(action).get();
    }

    @Way.Connections
    void bytesAndDescriptorsArriveSideBySideInOrder(Way way) throws Exception {
        List<String> labels = Collections.synchronizedList(new ArrayList<>());
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler();
        try (Meeting meeting = Meeting.in(way).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start("""
                input()
                send(sock, b"none|")
                send(sock, b"two|", [labelled("1"), labelled("2")])
                send(sock, b"one|", [labelled("3")])
                wait_for_end()
                """)) {
            meeting.channel().pipeline().addFirst(queue, new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) throws IOException {
                    for (UnixFileDescriptor fd; (fd = queue.poll()) != null;) {
                        labels.add(Content.label(fd));
                        fd.release();
                    }
                    ctx.fireChannelRead(message);
                }
            });
            Ends.settle(meeting.channel());
            meeting.python().say("ready");
            StringBuilder text = new StringBuilder();
            while (text.length() < "none|two|one|".length()) {
                text.append(Ends.text(meeting.inbox().take(ByteBuf.class)));
            }
            assertEquals("none|two|one|", text.toString());
            assertEquals(List.of("1", "2", "3"), labels);
            meeting.end();
        }
        Proof.of("CPython", "bytes and descriptors side by side, " + way);
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void descriptorsAreTakenWhenTheyAreWantedAndWhatIsLeftIsClosed(SocketType type) throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler(5);
        try (Ends ends = start(type, queue)) {
            send(ends, "x", Descriptors.some(2));
            send(ends, "x", Descriptors.some(3));
            ends.text();
            while (onLoop(ends, queue::size) < 5) {
                ends.text();
            }
            assertThrows(NoSuchElementException.class, () -> queue.take(6));
            UnixFileDescriptor[] fds = onLoop(ends, () -> queue.take(3));
            assertEquals(List.of("file 0", "file 1", "file 0"),
                    List.of(Descriptors.text(fds[0]), Descriptors.text(fds[1]), Descriptors.text(fds[2])));
            Arrays.stream(fds).forEach(UnixFileDescriptor::release);
            assertEquals(2, onLoop(ends, queue::size));
            ends.sender.close().sync();
            Object last;
            do {
                last = ends.inbox.take();
            } while (last instanceof ByteBuf buffer && !buffer.release());
            assertSame(Inbox.INACTIVE, last instanceof ByteBuf ? ends.inbox.take() : last);
            Ends.settle(ends.receiver);
            assertEquals(0, queue.size());
            assertNull(queue.poll());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void moreThanMayWaitCloseTheChannel(SocketType type) throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler(2);
        try (Ends ends = start(type, queue)) {
            send(ends, "fits", Descriptors.some(2));
            assertEquals("fits", ends.text());
            send(ends, "too many", Descriptors.some(1));
            FileDescriptorRefusedException refused = ends.inbox.take(FileDescriptorRefusedException.class);
            assertEquals("read EACCES " + type, refused.operation() + ' ' + refused.errnoName() + ' '
                    + refused.socketType());
            assertTrue(refused.getMessage().startsWith("3 descriptors would wait on ")
                    && refused.getMessage().endsWith("the limit is 2"), refused.getMessage());
            assertSame(Inbox.INACTIVE, ends.inbox.take());
            assertEquals(0, queue.size());
        }
        Proof.of("itself", "more descriptors than may wait close the " + type + " channel, and none stays open");
    }

    @Test
    void removedHandlerClosesWhatItHas() throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler();
        try (Ends ends = start(SocketType.STREAM, queue)) {
            send(ends, "x", Descriptors.some(2));
            ends.text();
            ends.receiver.pipeline().remove(queue);
            Ends.settle(ends.receiver);
            assertEquals(0, queue.size());
            send(ends, "y", Descriptors.some(1));
            UnixMessage message = ends.inbox.take(UnixMessage.class);
            assertEquals(1, message.fileDescriptors().size());
            message.release();
        }
    }

    @Test
    void descriptorThatWasReleasedTooOftenKeepsNoOtherOneOpen() throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler();
        List<UnixFileDescriptor> arrived = Collections.synchronizedList(new ArrayList<>());
        try (Ends ends = start(SocketType.STREAM, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                arrived.addAll(((UnixMessage) message).fileDescriptors());
                ctx.fireChannelRead(message);
            }
        }, queue)) {
            send(ends, "x", Descriptors.some(3));
            ends.text();
            arrived.get(0).release();
            ends.receiver.pipeline().remove(queue);
            Ends.settle(ends.receiver);
            assertEquals(0, Descriptors.countOpen(arrived.toArray(new UnixFileDescriptor[0])));
        }
    }

    @Test
    void datagramsKeepTheirSender() throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler();
        try (Ends ends = start(SocketType.DATAGRAM, queue)) {
            send(ends, "x", Descriptors.some(1));
            UnixMessage message = ends.inbox.take(UnixMessage.class);
            assertEquals(1, message.fileDescriptors().size());
            message.release();
        }
    }

    @Test
    void plainDescriptorsOfAnotherTypeAreRefusedToo() throws Exception {
        try (Ends ends = Ends.of(SocketType.STREAM)
                .with(UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS)
                .start(new FileDescriptorTypeHandler(Type.MEMFD))) {
            ends.sender.writeAndFlush(Descriptors.some(1)[0]).sync();
            ends.inbox.take(FileDescriptor.class).close();
            ends.sender.writeAndFlush(UnixFileDescriptor.open(Path.of("/dev/null"))).sync();
            ends.inbox.take(FileDescriptorRefusedException.class);
            assertSame(Inbox.INACTIVE, ends.inbox.take());
        }
    }

    @EachType
    void whatIsNotOfAnAllowedTypeIsRefused(SocketType type) throws Exception {
        try (Ends ends = start(type, new FileDescriptorTypeHandler(Type.MEMFD, Type.REGULAR_FILE))) {
            send(ends, "none");
            assertEquals("none", ends.text());
            send(ends, "files", Descriptors.some(2));
            UnixMessage message = ends.inbox.take(UnixMessage.class);
            assertEquals(2, message.fileDescriptors().size());
            message.release();
            send(ends, "and a device", Descriptors.some(1)[0], UnixFileDescriptor.open(Path.of("/dev/null")));
            assertEquals("a descriptor of type CHARACTER_DEVICE came in, allowed are [REGULAR_FILE, MEMFD]",
                    ends.inbox.take(FileDescriptorRefusedException.class).getMessage());
            if (type == SocketType.STREAM) {
                assertSame(Inbox.INACTIVE, ends.inbox.take());
            } else {
                send(ends, "more", Descriptors.some(1));
                assertEquals("more", ends.text());
            }
        }
        Proof.of("itself", "a descriptor of another type than allowed is refused, " + type);
    }

    @EachType
    void moreThanMayBeOpenAreRefusedUntilOthersAreClosed(SocketType type) throws Exception {
        try (Ends ends = start(type, new FileDescriptorLimitHandler(3))) {
            List<UnixFileDescriptor> held = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                send(ends, "kept", Descriptors.some(1));
                UnixMessage message = ends.inbox.take(UnixMessage.class);
                held.add(message.fileDescriptors().get(0).retain());
                message.release();
            }
            // What was let go makes room for what comes next.
            for (int i = 0; i < 4; i++) {
                send(ends, "let go", Descriptors.some(1));
                assertEquals("let go", ends.text());
            }
            if (type != SocketType.STREAM) {
                send(ends, "too many", Descriptors.some(2));
                assertEquals("2 more came in, 2 that came before are still open, the limit is 3",
                        ends.inbox.take(FileDescriptorRefusedException.class).getMessage());
            }
            held.remove(0).release();
            send(ends, "fits", Descriptors.some(2));
            UnixMessage message = ends.inbox.take(UnixMessage.class);
            assertEquals(2, message.fileDescriptors().size());
            send(ends, "none");
            assertEquals("none", ends.text());
            send(ends, "one too many", Descriptors.some(1));
            assertEquals("1 more came in, 3 that came before are still open, the limit is 3",
                    ends.inbox.take(FileDescriptorRefusedException.class).getMessage());
            if (type == SocketType.STREAM) {
                assertSame(Inbox.INACTIVE, ends.inbox.take());
            }
            assertTrue(ends.inbox.isEmpty());
            message.release();
            held.remove(0).release();
        }
        Proof.of("itself", "no more descriptors than allowed can be made to stay open, " + type);
    }

    @EachType
    void pidFdsCountAsDescriptorsThatAreOpen(SocketType type) throws Exception {
        Ends pair = Ends.of(type).with(UnixSocketOption.SO_PASSPIDFD, true);
        try (Ends ends = pair.start(new FileDescriptorLimitHandler(1))) {
            send(ends, "x");
            UnixMessage message = ends.inbox.take(UnixMessage.class);
            send(ends, "y");
            ends.inbox.take(FileDescriptorRefusedException.class);
            message.release();
        }
    }

    @EachType
    void descriptorsThatNobodyTakesAreClosedAfterATime(SocketType type) throws Exception {
        if (type == SocketType.DATAGRAM) {
            return;
        }
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler(10, 50, TimeUnit.MILLISECONDS);
        try (Ends ends = start(type, queue)) {
            // As an attacker does: the connection's own other end, so that it never ends by itself.
            send(ends, "x", UnixFileDescriptor.dup(((UnixChannel) ends.sender).fd()));
            assertEquals("x", ends.text());
            ends.sender.close().sync();
            assertTrue(ends.inbox.take(FileDescriptorRefusedException.class).getMessage()
                    .contains("for 50 ms or longer"));
            assertSame(Inbox.INACTIVE, ends.inbox.take());
        }
    }

    @Test
    void descriptorsThatAreTakenInTimeNeedNoTimer() throws Exception {
        FileDescriptorQueueHandler queue = new FileDescriptorQueueHandler(10, 1, TimeUnit.SECONDS);
        EmbeddedChannel channel = new EmbeddedChannel(queue);
        channel.freezeTime();
        channel.writeInbound(new UnixMessage(Ends.buffer("x"), Descriptors.some(1)));
        channel.advanceTimeBy(900, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        channel.writeInbound(new UnixMessage(Ends.buffer("y"), Descriptors.some(1)));
        queue.poll().release();
        // The second one has waited for a little only.
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
