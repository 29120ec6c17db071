package io.github.nettyunix.stream;

import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;

import java.io.IOException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** One direction ends and the other goes on. */
class CPythonHalfCloseTest {
    @Setup.Connections
    void afterThePeersEndTheChannelStillWrites(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("""
                send(sock, b"the last")
                sock.shutdown(socket.SHUT_WR)
                while data := sock.recv(100):
                    print(data.decode())
                print("end")
                """)) {
            DuplexChannel channel = (DuplexChannel) connection.channel();
            assertEquals("the last", Content.text(connection.take()));
            assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
            assertTrue(channel.isInputShutdown());
            assertFalse(channel.isOutputShutdown());
            for (int i = 0; i < 3; i++) {
                assertTrue(channel.isActive());
                channel.writeAndFlush(Content.of("answer " + i)).sync();
                connection.python().expect("answer " + i);
            }
            channel.shutdownOutput().sync();
            connection.python().expect("end");
            assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            connection.end();
        }
        Evidence.of("CPython", "writes after the peer's end, " + setup);
    }

    @Setup.Connections
    void afterItsOwnEndTheChannelStillReads(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                while data := sock.recv(100):
                    print(data.decode())
                print("end")
                for _ in range(3):
                    send(sock, input().encode())
                """)) {
            DuplexChannel channel = (DuplexChannel) connection.channel();
            channel.write(Content.of("the last"));
            channel.flush();
            channel.shutdownOutput().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            connection.python().expect("the last");
            connection.python().expect("end");
            assertTrue(channel.isOutputShutdown());
            assertFalse(channel.isInputShutdown());
            for (int i = 0; i < 3; i++) {
                connection.python().say("more " + i);
                assertEquals("more " + i, Content.text(connection.take()));
            }
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
        Evidence.of("CPython", "reads after its own end, " + setup);
    }

    @Setup.Connections
    void aPeerThatIsGoneAltogetherEndsTheChannelWithoutAWrite(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("""
                send(sock, b"the last")
                sock.close()
                """)) {
            assertEquals("the last", Content.text(connection.take()));
            assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
        Evidence.of("CPython", "with half-closure, a peer that is gone altogether ends the channel, " + setup);
    }

    @Setup.Connections
    void aPeerThatEndsOneDirectionAndThenTheOtherEndsTheChannelWithoutAWrite(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("""
                sock.shutdown(socket.SHUT_WR)
                input()
                sock.close()
                """)) {
            assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
            ChannelPair.settle(connection.channel());
            assertTrue(connection.channel().isActive() && connection.inbox().isEmpty());
            connection.python().say("close");
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
    }

    @Setup.Connections
    void whatAPeerThatIsGoneHasLeftIsReadFirst(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.AUTO_READ, false).start("""
                send(sock, b"left behind")
                sock.close()
                print("closed")
                """)) {
            connection.python().expect("closed");
            ChannelPair.settle(connection.channel());
            assertTrue(connection.channel().isActive());
            connection.channel().config().setAutoRead(true);
            assertEquals("left behind", Content.text(connection.take()));
            assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
    }

    @Setup.Connections
    void withHalfClosureAPeerThatResetsEndsTheChannelToo(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("""
                print("wait")
                input()
                sock.close()
                """)) {
            connection.python().expect("wait");
            connection.channel().writeAndFlush(Content.of("never read")).sync();
            connection.python().say("close");
            assertEquals("ECONNRESET", ((UnixSocketError) connection.inbox().take(IOException.class)).errnoName());
            assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
    }

    @Setup.Connections
    void whenBothDirectionsHaveEndedTheChannelCloses(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("""
                assert sock.recv(100) == b""
                send(sock, b"the last")
                sock.close()
                """)) {
            ((DuplexChannel) connection.channel()).shutdownOutput().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            assertEquals("the last", Content.text(connection.take()));
            assertInputEndsAndChannelCloses(connection);
        }
        Evidence.of("CPython", "with half-closure, a channel closes when both directions have ended, " + setup);
    }

    @Setup.Connections
    void theChannelClosesAlsoIfThePeersDirectionWasTheFirstToEnd(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("""
                sock.shutdown(socket.SHUT_WR)
                assert sock.recv(100) == b"answer"
                assert sock.recv(100) == b""
                print("end")
                input()
                """)) {
            assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
            DuplexChannel channel = (DuplexChannel) connection.channel();
            channel.writeAndFlush(Content.of("answer")).sync();
            // The shutdown as a whole succeeds, although its first half closes the channel.
            channel.shutdown().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.python().expect("end");
            connection.python().say("end");
            connection.end();
        }
    }

    @Setup.Connections
    void aResetEndsAChannelWhoseOutputWasShutDown(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("input(); sock.close()")) {
            connection.channel().writeAndFlush(Content.of("never read")).sync();
            ((DuplexChannel) connection.channel()).shutdownOutput().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            connection.python().say("close");
            assertEquals("ECONNRESET", ((UnixSocketError) connection.inbox().take(IOException.class)).errnoName());
            assertInputEndsAndChannelCloses(connection);
        }
    }

    private static void assertInputEndsAndChannelCloses(PeerConnection connection) throws Exception {
        assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
        assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
        assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
        connection.end();
    }

    /** A peer that closes without a reset cannot be detected: the socket looks the same as after a local shutdown. */
    @Setup.Connections
    void aResetEndsAChannelThatWasShutDownInBothDirections(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("input(); sock.close()")) {
            connection.channel().writeAndFlush(Content.of("never read")).sync();
            ((DuplexChannel) connection.channel()).shutdown().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
            assertTrue(connection.channel().isOpen());
            connection.python().say("close");
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
    }

    @Setup.Connections
    void withoutHalfClosureThePeersEndClosesTheChannel(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                send(sock, b"the last")
                sock.shutdown(socket.SHUT_WR)
                print(sock.recv(100))
                """)) {
            assertEquals("the last", Content.text(connection.take()));
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            assertFalse(connection.channel().isOpen());
            connection.python().expect("b''");
            connection.end();
        }
        Evidence.of("CPython", "the peer's end closes a channel without half-closure, " + setup);
    }
}
