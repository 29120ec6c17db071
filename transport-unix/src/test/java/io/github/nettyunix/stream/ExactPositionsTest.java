package io.github.nettyunix.stream;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Descriptors on a stream that arrive with the bytes they were sent with. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: only Linux tells where descriptors are")
@OnlyWith(SocketType.STREAM)
@ExtendWith(LeakCheckExtension.class)
class ExactPositionsTest {
    private static ChannelPair newPair() {
        return ChannelPair.of(SocketType.STREAM).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .with(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
    }

    /**
     * Returns the texts of the messages up to one that ends with a full stop, with the number of descriptors in
     * brackets.
     */
    private static String describe(RecordingHandler inbox) {
        StringBuilder all = new StringBuilder();
        String text;
        do {
            UnixMessage message = inbox.take(UnixMessage.class);
            text = Content.text(Content.bytes(message.content()));
            int fds = message.fileDescriptors().size();
            all.append(text).append(fds > 0 ? "[" + fds + "]" : "");
            message.release();
        } while (!text.endsWith("."));
        return all.toString();
    }

    private static void write(Channel channel, String text, int fds) throws Exception {
        channel.write(fds > 0 ? new UnixMessage(ChannelPair.buffer(text), Descriptors.some(fds))
                : ChannelPair.buffer(text));
    }

    @Test
    void messageWithDescriptorsArrivesFromItsFirstByteToItsLast() throws Exception {
        try (ChannelPair pair = newPair().with(ChannelOption.AUTO_READ, false).start()) {
            write(pair.sender, "AAAA", 0);
            write(pair.sender, "B", 1);
            write(pair.sender, "CCCC", 0);
            write(pair.sender, "DD", 2);
            write(pair.sender, "E", 1);
            write(pair.sender, "FF", 1);
            write(pair.sender, "GG.", 0);
            pair.sender.flush();
            ChannelPair.settle(pair.sender);
            pair.receiver.config().setAutoRead(true);
            assertEquals("AAAAB[1]CCCCDD[2]E[1]FF[1]GG.", describe(pair.inbox));
        }
        Evidence.of("itself", "descriptors arrive with the bytes of a stream that they were sent with, if asked for");
    }

    @Test
    void positionsAreExactForAllSizesAndTimings() throws Exception {
        Random random = new Random(2);
        try (ChannelPair pair = newPair().start()) {
            StringBuilder expected = new StringBuilder();
            for (int i = 0; i < 400; i++) {
                String text = Character.toString('a' + i % 26).repeat(1 + random.nextInt(i % 20 == 0 ? 30_000 : 50));
                int fds = random.nextInt(3);
                write(pair.sender, text, fds);
                expected.append(text).append(fds > 0 ? "[" + fds + "]" : "");
                if (random.nextInt(5) == 0) {
                    pair.sender.flush();
                }
            }
            write(pair.sender, ".", 0);
            pair.sender.flush();
            assertEquals(expected.append('.').toString(), describe(pair.inbox));
        }
    }

    @Test
    void smallReadsEndBeforeAMessageWithDescriptorsAndTakeItWhole() throws Exception {
        try (ChannelPair pair = newPair().with(ChannelOption.AUTO_READ, false)
                .with(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(2).maxMessagesPerRead(16))
                .start()) {
            write(pair.sender, "abc", 0);
            write(pair.sender, "defgh", 1);
            write(pair.sender, "ij.", 0);
            pair.sender.flush();
            ChannelPair.settle(pair.sender);
            pair.receiver.config().setAutoRead(true);
            for (String piece : List.of("ab", "c", "defgh", "ij", ".")) {
                assertEquals(piece, pair.text());
            }
        }
    }

    /** Whatever comes next may bring descriptors. */
    @Test
    void aReadTakesNoMoreThanWhatWasLookedAt() throws Exception {
        int[] fds = new int[2];
        assertEquals(0, UnixSocket.newSocketPair(SocketType.STREAM.ordinal(), fds));
        UnixSocket sender = new UnixSocket(fds[0]);
        UnixSocket receiver = new UnixSocket(fds[1]);
        ByteBuffer bytes = ByteBuffer.allocateDirect(5);
        assertEquals(5, sender.write(bytes, 0, 5));
        assertEquals(5, ReceiveBatch.current().bytesToBarrier(receiver, 100, 0));
        assertEquals(3 | ReceiveBatch.MORE, ReceiveBatch.current().bytesToBarrier(receiver, 3, 0));
        sender.close();
        receiver.close();
    }

    @Test
    void theEndIsTheEndAndNothingIsNothing() throws Exception {
        try (ChannelPair pair = newPair().start()) {
            pair.receiver.read();
            ChannelPair.settle(pair.receiver);
            assertTrue(pair.inbox.isEmpty());
            write(pair.sender, "last", 1);
            pair.sender.flush();
            pair.sender.close().sync();
            assertEquals("last", pair.text());
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertFalse(pair.receiver.isOpen());
        }
    }

    /** The kernel splits a long message anywhere; nothing marks the parts as one message. */
    @Test
    void longMessageArrivesInPiecesAndItsDescriptorsWithTheFirst() throws Exception {
        String text = "x".repeat(150_000);
        try (ChannelPair pair = newPair().start()) {
            write(pair.sender, "before", 0);
            write(pair.sender, text, 2);
            write(pair.sender, ".", 0);
            pair.sender.flush();
            String found = describe(pair.inbox);
            assertTrue(found.startsWith("beforex"), "before and the message are put together");
            int descriptors = found.indexOf("[2]");
            assertTrue(descriptors > 32_000, "the first piece has " + (descriptors - 6) + " bytes");
            assertEquals("before" + text + '.', found.replace("[2]", ""));
        }
    }

    @Test
    void outOfBandByteIsDiscardedAndTheLoopDoesNotSpin() throws Exception {
        try (PeerConnection connection = PeerConnection.in(new Setup(SocketType.STREAM, false, false))
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true).start("""
                try:
                    sock.send(b"!", socket.MSG_OOB)
                    print("sent")
                except OSError as e:
                    print(e)
                input()
                sock.send(b"before")
                try:
                    sock.send(b"!", socket.MSG_OOB)
                except OSError:
                    pass
                send(sock, b"after.", [labelled("x")])
                wait_for_end()
                """)) {
            Python python = connection.python();
            String result = python.line();
            Assumptions.assumeTrue(result.equals("sent"), "this kernel has no such bytes on AF_UNIX sockets: "
                    + result);
            LoopCpu.assertIdle(connection.channel().eventLoop());
            python.say("go on");
            assertEquals("beforeafter.[1]", describe(connection.inbox()));
            connection.end();
        }
        Evidence.of("CPython", "an out-of-band byte does not keep the loop busy, with exact positions");
    }

    /** Since Linux 6.17, FIONREAD counts each byte that was discarded for ever. */
    @Test
    void outOfBandBytesThatWereDiscardedAreNotCounted() throws Exception {
        try (PeerConnection connection = PeerConnection.in(new Setup(SocketType.STREAM, false, false))
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true).start("""
                for i in range(100):
                    try:
                        sock.send(b"!", socket.MSG_OOB)
                    except OSError:
                        pass
                    sock.send(b".")
                    input()
                sock.send(b"x" * 8000 + b".")
                print("sent")
                wait_for_end()
                """)) {
            for (int i = 0; i < 100; i++) {
                assertEquals(".", describe(connection.inbox()));
                if (i == 99) {
                    // On the event loop it takes effect at once.
                    connection.channel().eventLoop()
                            .submit(() -> connection.channel().config().setAutoRead(false)).sync();
                }
                connection.python().say("go on");
            }
            connection.python().expect("sent");
            UnixSocket socket = new UnixSocket(((UnixChannel) connection.channel()).fd().intValue());
            assertEquals(8_001, ReceiveBatch.current().bytesToBarrier(socket, 65_536, 0));
            connection.channel().config().setAutoRead(true);
            assertEquals("x".repeat(8_000) + '.', describe(connection.inbox()));
            connection.end();
        }
    }

    /** A peek must not take the reset while something before it is unread. */
    @Test
    void aResetBehindAnOutOfBandByteIsReportedAfterWhatThePeerHadSent() throws Exception {
        try (PeerConnection connection = PeerConnection.in(new Setup(SocketType.STREAM, false, false))
                .option(ChannelOption.AUTO_READ, false)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true).start("""
                input()
                sock.send(b"x" * 50000 + b".")
                try:
                    sock.send(b"!", socket.MSG_OOB)
                except OSError:
                    pass
                sock.close()
                print("closed")
                """)) {
            connection.channel().writeAndFlush(ChannelPair.buffer("unread")).sync();
            connection.python().say("go on");
            connection.python().expect("closed");
            connection.channel().config().setAutoRead(true);
            assertEquals("x".repeat(50_000) + '.', describe(connection.inbox()));
            assertEquals(UnixErrno.ECONNRESET, ((UnixSocketError) connection.inbox().take(IOException.class)).error());
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
        }
    }
}
