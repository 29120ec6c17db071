package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Meeting;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Way;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A write that fails ends the output of a connection. What the peer has sent arrives all the same, and then the channel
 * closes.
 */
@ExtendWith(NothingLeft.class)
class FailedWriteTest {
    private static final List<String> LOST = List.of("EPIPE", "ECONNRESET");

    /** Writes on the channel's event loop, where nothing can be read in between. */
    private static ChannelFuture write(Meeting meeting, boolean autoRead, Object message) throws Exception {
        return meeting.channel().eventLoop().submit((Callable<ChannelFuture>) () -> {
            meeting.channel().config().setAutoRead(autoRead);
            return meeting.send(message);
        }).get();
    }

    private static void assertLost(ChannelFuture write) throws Exception {
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, Ends.failure(write));
        assertTrue(LOST.contains(error.errnoName()), error.errnoName());
    }

    /** The bytes that arrive until the channel is closed; a reset may be reported. */
    private static String readToTheEnd(Inbox inbox) {
        StringBuilder text = new StringBuilder();
        for (Object next; (next = inbox.take()) != Inbox.INACTIVE;) {
            if (next instanceof Throwable) {
                UnixSocketError error = assertInstanceOf(UnixSocketError.class, next);
                assertTrue(LOST.contains(error.errnoName()), error.errnoName());
            } else if (next != ChannelOutputShutdownEvent.INSTANCE) {
                text.append(Content.text(Content.take(next)));
            }
        }
        return text.toString();
    }

    @ParameterizedTest
    @MethodSource("roles")
    void theRequestOfAPeerThatSentAndClosedIsReadAlthoughTheGreetingFails(Way way) throws Exception {
        assertRequestIsRead(way, true);
    }

    @ParameterizedTest
    @MethodSource("roles")
    void theRequestIsReadAlsoWhereNobodyAsksForIt(Way way) throws Exception {
        assertRequestIsRead(way, false);
    }

    private static void assertRequestIsRead(Way way, boolean autoRead) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.AUTO_READ, false).start("""
                for number in range(40):
                    send(sock, b"part %d;" % number)
                sock.close()
                print("closed")
                """)) {
            meeting.python().expect("closed");
            ChannelFuture greeting = write(meeting, autoRead, Content.of("hello"));
            assertLost(greeting);
            assertInstanceOf(ClosedChannelException.class, Ends.failure(meeting.send(Content.of("later"))));
            StringBuilder request = new StringBuilder();
            for (int i = 0; i < 40; i++) {
                request.append("part ").append(i).append(';');
            }
            assertEquals(request.toString(), readToTheEnd(meeting.inbox()));
            meeting.end();
        }
        Proof.of("CPython", "what a peer sent before it closed is read although a write fails, "
                + (autoRead ? "" : "auto-read off, ")
                + way);
    }

    @ParameterizedTest
    @MethodSource("roles")
    void aResetIsReportedToTheReaderAlsoIfAWriteMetItFirst(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.AUTO_READ, false).start("""
                print(input())
                sock.recv(1, socket.MSG_PEEK)
                send(sock, b"last words")
                sock.close()
                print("closed")
                """)) {
            meeting.send(Content.of("unread")).sync();
            // On the event loop, which therefore sees nothing of it before it writes.
            assertLost(meeting.channel().eventLoop().submit(() -> {
                meeting.python().say("go on");
                meeting.python().expect("go on");
                meeting.python().expect("closed");
                meeting.channel().config().setAutoRead(true);
                return meeting.send(Content.of("hello"));
            }).get());
            List<String> seen = new ArrayList<>();
            for (Object next; (next = meeting.inbox().take()) != Inbox.INACTIVE;) {
                if (next instanceof UnixSocketError error) {
                    seen.add(error.errnoName());
                } else if (next != ChannelOutputShutdownEvent.INSTANCE) {
                    seen.add(Content.text(Content.take(next)));
                }
            }
            assertEquals(List.of("last words", "ECONNRESET"), seen);
            meeting.end();
        }
        Proof.of("CPython", "a reset that a write meets is reported to the reader, " + way);
    }

    private static Stream<Way> roles() {
        return Way.few().filter(way -> way.type() != SocketType.DATAGRAM);
    }

    private static Stream<Way> records() {
        return roles().filter(way -> way.type() == SocketType.SEQPACKET);
    }

    private static Stream<SocketType> connections() {
        return roles().map(Way::type).distinct();
    }

    @ParameterizedTest
    @MethodSource("roles")
    void anEarlyAnswerToALargeUploadArrives(Way way) throws Exception {
        for (int round = 0; round < 5; round++) {
            try (Meeting meeting = Meeting.in(way).start("""
                    sock.recv(1000)
                    send(sock, b"enough")
                    sock.close()
                    """)) {
                List<ChannelFuture> writes = new ArrayList<>();
                for (int i = 0; i < 200; i++) {
                    writes.add(meeting.channel().write(Content.of("x".repeat(10_000))));
                }
                meeting.channel().flush();
                assertEquals("enough", readToTheEnd(meeting.inbox()), "round " + round);
                for (ChannelFuture write : writes) {
                    if (!write.await().isSuccess()) {
                        assertInstanceOf(IOException.class, write.cause());
                    }
                }
                meeting.end();
            }
        }
        Proof.of("CPython", "an early answer to a large upload arrives, " + way);
    }

    /** The peer lives, so that there is no end of its output to wait for. */
    @ParameterizedTest
    @MethodSource("roles")
    void aPeerThatReadsNoMoreCannotKeepTheChannelOpen(Way way) throws Exception {
        // One of the two roles for each.
        boolean autoRead = way.isServing();
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.AUTO_READ, false).start("""
                send(sock, b"late")
                sock.shutdown(socket.SHUT_RD)
                print("shut down")
                input()
                try:
                    sock.send(b"more")
                except BrokenPipeError:
                    print("broken pipe")
                """)) {
            meeting.python().expect("shut down");
            assertLost(write(meeting, autoRead, Content.of("hello")));
            assertEquals("late", readToTheEnd(meeting.inbox()));
            meeting.python().say("go on");
            meeting.python().expect("broken pipe");
            meeting.end();
        }
        Proof.of("CPython", "a peer that reads no more cannot keep a channel open, auto-read " + autoRead + ", " + way);
    }

    /** The attack: the handler has said that it takes no more, and the peer sends without end. */
    @ParameterizedTest
    @MethodSource("roles")
    void aPeerThatReadsNothingAndSendsWithoutEndIsCutOff(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.AUTO_READ, false).start("""
                sock.shutdown(socket.SHUT_RD)
                print("shut down")
                sent = 0
                try:
                    while True:
                        sent += sock.send(bytes(5000))
                except (BrokenPipeError, ConnectionResetError):
                    print(sent)
                """)) {
            meeting.python().expect("shut down");
            // The peer sends faster than it is read.
            meeting.channel().pipeline().addFirst(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                    ctx.fireChannelRead(message);
                }
            });
            assertLost(write(meeting, false, Content.of("hello")));
            int received = readToTheEnd(meeting.inbox()).length();
            assertEquals(received, Integer.parseInt(meeting.python().line()));
            // What the kernel keeps for a socket, and no more.
            assertTrue(received < 1 << 20, "received: " + received);
            meeting.end();
        }
        Proof.of("CPython", "a peer that reads nothing and sends without end is cut off, " + way);
    }

    @ParameterizedTest
    @MethodSource("roles")
    void withoutAutoCloseOnlyTheOutputEnds(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.AUTO_CLOSE, false)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true).start("""
                sock.shutdown(socket.SHUT_RD)
                print("shut down")
                print(input())
                send(sock, b"still here")
                sock.close()
                """)) {
            meeting.python().expect("shut down");
            assertLost(meeting.send(Content.of("hello")));
            assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertTrue(((DuplexChannel) meeting.channel()).isOutputShutdown());
            meeting.python().say("go on");
            meeting.python().expect("go on");
            assertEquals("still here", Content.text(meeting.take()));
            assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
            assertTrue(meeting.channel().isOpen());
            meeting.end();
        }
        Proof.of("CPython", "without AUTO_CLOSE a failed write ends the output only, " + way);
    }

    @ParameterizedTest
    @MethodSource("connections")
    void aWriterThatWaitsForRoomWhenItsOutputEndsUsesNoProcessor(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(ChannelOption.AUTO_READ, false).with(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start()) {
            Channel sender = ends.sender;
            List<ChannelFuture> writes = new ArrayList<>();
            while (sender.isWritable()) {
                writes.add(ends.send("x".repeat(5000)));
                Ends.settle(sender);
            }
            ((DuplexChannel) sender).shutdownOutput().sync();
            Ends.failure(writes.get(writes.size() - 1));
            // From here on there is room.
            ends.receiver.config().setAutoRead(true);
            for (Object next; (next = ends.inbox.take()) != ChannelInputShutdownReadComplete.INSTANCE;) {
                ReferenceCountUtil.release(next);
            }
            LoopCpu.assertIdle(sender.eventLoop());
            assertTrue(sender.isActive());
        }
        Proof.of("itself", "a " + type + " channel whose output ends while writes wait uses no processor");
    }

    /** What stands behind the hole is not moved up to it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nothingFollowsAMessageThatAStreamDidNotTake(boolean closed) throws Exception {
        try (Meeting meeting = Meeting.in(new Way(SocketType.STREAM, false, true)).start("""
                SO_PASSRIGHTS = 83
                if sys.argv[1] == "false":
                    sock.setsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS, 0)
                print("ready")
                got = b""
                while data := sock.recv(100):
                    got += data
                print(got.decode())
                send(sock, b"answer")
                """, closed)) {
            meeting.python().expect("ready");
            Channel channel = meeting.channel();
            UnixFileDescriptor fd = Content.labelled("file");
            List<ChannelFuture> writes = new ArrayList<>();
            channel.eventLoop().submit((Callable<Void>) () -> {
                writes.add(channel.write(Content.of("[header 1]")));
                writes.add(channel.write(new UnixMessage(Content.of("[body 1]"), fd)));
                writes.add(channel.write(Content.of("[header 2]")));
                writes.add(channel.write(new UnixMessage(Content.of("[body 2]"), Content.labelled("file"))));
                if (closed) {
                    fd.close();
                }
                channel.flush();
                return null;
            }).get();
            writes.get(0).sync();
            for (ChannelFuture write : writes.subList(1, 4)) {
                UnixSocketError error = assertInstanceOf(UnixSocketError.class, Ends.failure(write));
                assertEquals(closed ? "EBADF" : "EPERM", error.errnoName());
            }
            assertInstanceOf(ClosedChannelException.class, Ends.failure(meeting.send(Content.of("[header 3]"))));
            meeting.python().expect("[header 1]");
            assertEquals("answer", readToTheEnd(meeting.inbox()));
            meeting.end();
        }
        Proof.of("CPython", "nothing follows a message that a stream did not take, " + (closed ? "EBADF" : "EPERM"));
    }

    /** The peer closes in the middle of a batch. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("records")
    void noPromiseFailsOfARecordThatThePeerHasRead(Way way) throws Exception {
        int wrong = 0;
        for (int round = 0; round < 8; round++) {
            try (Meeting meeting = Meeting.in(way).start("""
                    for number in range(3):
                        sock.recv(10000)
                    sock.close()
                    """)) {
                List<ChannelFuture> writes = new ArrayList<>();
                for (int i = 0; i < 64; i++) {
                    writes.add(meeting.channel().write(Content.of("x".repeat(2000))));
                }
                meeting.channel().flush();
                readToTheEnd(meeting.inbox());
                int sent = 0;
                for (ChannelFuture write : writes) {
                    sent += write.await().isSuccess() ? 1 : 0;
                }
                wrong += sent < 3 ? 1 : 0;
                meeting.end();
            }
        }
        assertEquals(0, wrong, "of 8 connections");
        Proof.of("CPython", "no promise fails of a record that the peer has read, " + way);
    }
}
