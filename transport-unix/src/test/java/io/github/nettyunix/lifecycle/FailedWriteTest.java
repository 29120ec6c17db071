package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

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
 * A write that fails ends the output of a connection. What the peer has sent still arrives, and then the channel
 * closes.
 */
@ExtendWith(LeakCheckExtension.class)
class FailedWriteTest {
    /** Longer than a channel whose output has failed waits for its peer. */
    private static final long DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(1_100);
    private static final List<String> LOST = List.of("EPIPE", "ECONNRESET");

    /** Writes on the channel's event loop, where nothing can be read in between. */
    private static ChannelFuture write(PeerConnection connection, boolean autoRead, Object message) throws Exception {
        return connection.channel().eventLoop().submit((Callable<ChannelFuture>) () -> {
            connection.channel().config().setAutoRead(autoRead);
            return connection.send(message);
        }).get();
    }

    private static void assertLost(ChannelFuture write) throws Exception {
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(write));
        assertTrue(LOST.contains(error.errnoName()), error.errnoName());
    }

    /** Returns the bytes that arrive until the channel is closed; a reset may be reported. */
    private static String readToTheEnd(RecordingHandler inbox) {
        StringBuilder text = new StringBuilder();
        for (Object next; (next = inbox.take()) != RecordingHandler.INACTIVE;) {
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
    void theRequestOfAPeerThatSentAndClosedIsReadAlthoughTheGreetingFails(Setup setup) throws Exception {
        assertRequestIsRead(setup, true);
    }

    @ParameterizedTest
    @MethodSource("roles")
    void theRequestIsReadEvenWithoutARead(Setup setup) throws Exception {
        assertRequestIsRead(setup, false);
    }

    private static void assertRequestIsRead(Setup setup, boolean autoRead) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false).start("""
                for number in range(40):
                    send(sock, b"part %d;" % number)
                sock.close()
                print("closed")
                """)) {
            connection.python().expect("closed");
            ChannelFuture greeting = write(connection, autoRead, Content.of("hello"));
            assertLost(greeting);
            assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(connection.send(Content.of("later"))));
            StringBuilder request = new StringBuilder();
            for (int i = 0; i < 40; i++) {
                request.append("part ").append(i).append(';');
            }
            assertEquals(request.toString(), readToTheEnd(connection.inbox()));
            connection.end();
        }
        Evidence.of("CPython", "what a peer sent before it closed is read although a write fails, "
                + (autoRead ? "" : "auto-read off, ")
                + setup);
    }

    @ParameterizedTest
    @MethodSource("roles")
    void theRequestIsReadAlsoIfThePeerResetsTheConnectionAfterTheWriteHasFailed(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false).start("""
                sock.recv(1, socket.MSG_PEEK)
                for number in range(40):
                    send(sock, b"part %d;" % number)
                sock.shutdown(socket.SHUT_RD)
                print("refuses")
                input()
                sock.close()
                print("closed")
                """)) {
            connection.send(Content.of("hello")).sync();
            connection.python().expect("refuses");
            assertLost(connection.channel().eventLoop().submit(() -> {
                ChannelFuture reply = connection.send(Content.of("reply"));
                // The input is drained next.
                connection.python().say("close");
                connection.python().expect("closed");
                return reply;
            }).get());
            StringBuilder request = new StringBuilder();
            for (int i = 0; i < 40; i++) {
                request.append("part ").append(i).append(';');
            }
            assertEquals(request.toString(), readToTheEnd(connection.inbox()));
            connection.end();
        }
    }

    @ParameterizedTest
    @MethodSource("roles")
    void theRequestIsReadAlsoByAHandlerThatTakesLongerThanTheDelay(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false).start("""
                for number in range(200):
                    send(sock, b"part %d;" % number)
                sock.close()
                print("closed")
                """)) {
            connection.channel().config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(8));
            connection.channel().pipeline().addFirst(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    ctx.pipeline().remove(this);
                    LockSupport.parkNanos(DELAY_NANOS);
                    ctx.fireChannelRead(message);
                }
            });
            connection.python().expect("closed");
            assertLost(write(connection, false, Content.of("hello")));
            StringBuilder request = new StringBuilder();
            for (int i = 0; i < 200; i++) {
                request.append("part ").append(i).append(';');
            }
            assertEquals(request.toString(), readToTheEnd(connection.inbox()));
            connection.end();
        }
    }

    @ParameterizedTest
    @MethodSource("roles")
    void aResetIsReportedToTheReaderAlsoIfAWriteMetItFirst(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false).start("""
                print(input())
                sock.recv(1, socket.MSG_PEEK)
                send(sock, b"last words")
                sock.close()
                print("closed")
                """)) {
            connection.send(Content.of("unread")).sync();
            // On the event loop, which therefore sees nothing of it before it writes.
            assertLost(connection.channel().eventLoop().submit(() -> {
                connection.python().say("go on");
                connection.python().expect("go on");
                connection.python().expect("closed");
                connection.channel().config().setAutoRead(true);
                return connection.send(Content.of("hello"));
            }).get());
            List<String> seen = new ArrayList<>();
            for (Object next; (next = connection.inbox().take()) != RecordingHandler.INACTIVE;) {
                if (next instanceof UnixSocketError error) {
                    seen.add(error.errnoName());
                } else if (next != ChannelOutputShutdownEvent.INSTANCE) {
                    seen.add(Content.text(Content.take(next)));
                }
            }
            assertEquals(List.of("last words", "ECONNRESET"), seen);
            connection.end();
        }
        Evidence.of("CPython", "a reset that a write meets is reported to the reader, " + setup);
    }

    private static Stream<Setup> roles() {
        return Setup.few().filter(setup -> setup.type() != SocketType.DATAGRAM);
    }

    private static Stream<Setup> records() {
        return roles().filter(setup -> setup.type() == SocketType.SEQPACKET);
    }

    private static Stream<SocketType> connections() {
        return roles().map(Setup::type).distinct();
    }

    @ParameterizedTest
    @MethodSource("roles")
    void anEarlyAnswerToALargeUploadArrives(Setup setup) throws Exception {
        for (int round = 0; round < 5; round++) {
            try (PeerConnection connection = PeerConnection.in(setup).start("""
                    sock.recv(1000)
                    send(sock, b"enough")
                    sock.close()
                    """)) {
                List<ChannelFuture> writes = new ArrayList<>();
                for (int i = 0; i < 200; i++) {
                    writes.add(connection.channel().write(Content.of("x".repeat(10_000))));
                }
                connection.channel().flush();
                assertEquals("enough", readToTheEnd(connection.inbox()), "round " + round);
                for (ChannelFuture write : writes) {
                    if (!write.await().isSuccess()) {
                        assertInstanceOf(IOException.class, write.cause());
                    }
                }
                connection.end();
            }
        }
        Evidence.of("CPython", "an early answer to a large upload arrives, " + setup);
    }

    /** The peer stays alive, so its output does not end. */
    @ParameterizedTest
    @MethodSource("roles")
    void aPeerThatReadsNoMoreCannotKeepTheChannelOpen(Setup setup) throws Exception {
        // Each role tests one of the two.
        boolean autoRead = setup.isServing();
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false).start("""
                send(sock, b"late")
                sock.shutdown(socket.SHUT_RD)
                print("shut down")
                input()
                try:
                    sock.send(b"more")
                except BrokenPipeError:
                    print("broken pipe")
                """)) {
            connection.python().expect("shut down");
            assertLost(write(connection, autoRead, Content.of("hello")));
            assertEquals("late", readToTheEnd(connection.inbox()));
            connection.python().say("go on");
            connection.python().expect("broken pipe");
            connection.end();
        }
        Evidence.of("CPython", "a peer that reads no more cannot keep a channel open, auto-read " + autoRead + ", "
                + setup);
    }

    /** The attack: the handler has turned reading off, and the peer never stops sending. */
    @ParameterizedTest
    @MethodSource("roles")
    void aPeerThatReadsNothingAndSendsWithoutEndIsCutOff(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false).start("""
                sock.shutdown(socket.SHUT_RD)
                print("shut down")
                sent = 0
                try:
                    while True:
                        sent += sock.send(bytes(5000))
                except (BrokenPipeError, ConnectionResetError):
                    print(sent)
                """)) {
            connection.python().expect("shut down");
            // The peer sends faster than it is read.
            connection.channel().pipeline().addFirst(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                    ctx.fireChannelRead(message);
                }
            });
            assertLost(write(connection, false, Content.of("hello")));
            int received = readToTheEnd(connection.inbox()).length();
            assertEquals(received, Integer.parseInt(connection.python().line()));
            // As much as the kernel queues for a socket, and no more.
            assertTrue(received < 1 << 20, "received: " + received);
            connection.end();
        }
        Evidence.of("CPython", "a peer that reads nothing and sends without end is cut off, " + setup);
    }

    @ParameterizedTest
    @MethodSource("roles")
    void withoutAutoCloseOnlyTheOutputEnds(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_CLOSE, false)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true).start("""
                sock.shutdown(socket.SHUT_RD)
                print("shut down")
                print(input())
                send(sock, b"still here")
                sock.close()
                """)) {
            connection.python().expect("shut down");
            assertLost(connection.send(Content.of("hello")));
            assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            assertTrue(((DuplexChannel) connection.channel()).isOutputShutdown());
            connection.python().say("go on");
            connection.python().expect("go on");
            assertEquals("still here", Content.text(connection.take()));
            assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
            assertTrue(connection.channel().isOpen());
            connection.end();
        }
        Evidence.of("CPython", "without AUTO_CLOSE a failed write ends the output only, " + setup);
    }

    @ParameterizedTest
    @MethodSource("connections")
    void aWriterThatWaitsForRoomWhenItsOutputEndsUsesNoProcessor(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start()) {
            Channel sender = pair.sender;
            List<ChannelFuture> writes = new ArrayList<>();
            while (sender.isWritable()) {
                writes.add(pair.send("x".repeat(5000)));
                ChannelPair.settle(sender);
            }
            ((DuplexChannel) sender).shutdownOutput().sync();
            ChannelPair.failure(writes.get(writes.size() - 1));
            // From here on there is room.
            pair.receiver.config().setAutoRead(true);
            for (Object next; (next = pair.inbox.take()) != ChannelInputShutdownReadComplete.INSTANCE;) {
                ReferenceCountUtil.release(next);
            }
            LoopCpu.assertIdle(sender.eventLoop());
            assertTrue(sender.isActive());
        }
        Evidence.of("itself", "a " + type + " channel whose output ends while writes wait uses no processor");
    }

    /** What follows the hole does not take its place. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nothingFollowsAMessageThatAStreamDidNotTake(boolean closed) throws Exception {
        try (PeerConnection connection = PeerConnection.in(new Setup(SocketType.STREAM, false, true)).start("""
                SO_PASSRIGHTS = 83
                if sys.argv[1] == "false":
                    try:
                        sock.setsockopt(socket.SOL_SOCKET, SO_PASSRIGHTS, 0)
                    except OSError:
                        print("left out: SO_PASSRIGHTS needs Linux 6.16")
                print("ready")
                got = b""
                while data := sock.recv(100):
                    got += data
                print(got.decode())
                send(sock, b"answer")
                """, closed)) {
            String line = connection.python().line();
            if (line.startsWith("left out")) {
                throw new TestAbortedException(line);
            }
            assertEquals("ready", line);
            Channel channel = connection.channel();
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
                UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(write));
                assertEquals(closed ? "EBADF" : "EPERM", error.errnoName());
            }
            assertInstanceOf(ClosedChannelException.class,
                    ChannelPair.failure(connection.send(Content.of("[header 3]"))));
            connection.python().expect("[header 1]");
            assertEquals("answer", readToTheEnd(connection.inbox()));
            connection.end();
        }
        Evidence.of("CPython", "nothing follows a message that a stream did not take, " + (closed ? "EBADF" : "EPERM"));
    }

    /** The peer closes in the middle of a batch. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("records")
    void noPromiseFailsOfARecordThatThePeerHasRead(Setup setup) throws Exception {
        int wrong = 0;
        for (int round = 0; round < 8; round++) {
            try (PeerConnection connection = PeerConnection.in(setup).start("""
                    for number in range(3):
                        sock.recv(10000)
                    sock.close()
                    """)) {
                List<ChannelFuture> writes = new ArrayList<>();
                for (int i = 0; i < 64; i++) {
                    writes.add(connection.channel().write(Content.of("x".repeat(2000))));
                }
                connection.channel().flush();
                readToTheEnd(connection.inbox());
                int sent = 0;
                for (ChannelFuture write : writes) {
                    sent += write.await().isSuccess() ? 1 : 0;
                }
                wrong += sent < 3 ? 1 : 0;
                connection.end();
            }
        }
        assertEquals(0, wrong, "of 8 connections");
        Evidence.of("CPython", "no promise fails of a record that the peer has read, " + setup);
    }
}
