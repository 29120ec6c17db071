package io.github.nettyunix.stream;

import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Meeting;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Way;
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
    @Way.Connections
    void afterThePeersEndTheChannelStillWrites(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true).start("""
                send(sock, b"the last")
                sock.shutdown(socket.SHUT_WR)
                while data := sock.recv(100):
                    print(data.decode())
                print("end")
                """)) {
            DuplexChannel channel = (DuplexChannel) meeting.channel();
            assertEquals("the last", Content.text(meeting.take()));
            assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
            assertTrue(channel.isInputShutdown());
            assertFalse(channel.isOutputShutdown());
            for (int i = 0; i < 3; i++) {
                assertTrue(channel.isActive());
                channel.writeAndFlush(Content.of("answer " + i)).sync();
                meeting.python().expect("answer " + i);
            }
            channel.shutdownOutput().sync();
            meeting.python().expect("end");
            assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            meeting.end();
        }
        Proof.of("CPython", "writes after the peer's end, " + way);
    }

    @Way.Connections
    void afterItsOwnEndTheChannelStillReads(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("""
                while data := sock.recv(100):
                    print(data.decode())
                print("end")
                for _ in range(3):
                    send(sock, input().encode())
                """)) {
            DuplexChannel channel = (DuplexChannel) meeting.channel();
            channel.write(Content.of("the last"));
            channel.flush();
            channel.shutdownOutput().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            meeting.python().expect("the last");
            meeting.python().expect("end");
            assertTrue(channel.isOutputShutdown());
            assertFalse(channel.isInputShutdown());
            for (int i = 0; i < 3; i++) {
                meeting.python().say("more " + i);
                assertEquals("more " + i, Content.text(meeting.take()));
            }
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
        Proof.of("CPython", "reads after its own end, " + way);
    }

    @Way.Connections
    void aPeerThatIsGoneAltogetherEndsTheChannelWithoutAWrite(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true).start("""
                send(sock, b"the last")
                sock.close()
                """)) {
            assertEquals("the last", Content.text(meeting.take()));
            assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
        Proof.of("CPython", "with half-closure, a peer that is gone altogether ends the channel, " + way);
    }

    @Way.Connections
    void aPeerThatEndsOneDirectionAndThenTheOtherEndsTheChannelWithoutAWrite(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true).start("""
                sock.shutdown(socket.SHUT_WR)
                input()
                sock.close()
                """)) {
            assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
            Ends.settle(meeting.channel());
            assertTrue(meeting.channel().isActive() && meeting.inbox().isEmpty());
            meeting.python().say("close");
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
    }

    @Way.Connections
    void whatAPeerThatIsGoneHasLeftIsReadFirst(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.AUTO_READ, false).start("""
                send(sock, b"left behind")
                sock.close()
                print("closed")
                """)) {
            meeting.python().expect("closed");
            Ends.settle(meeting.channel());
            assertTrue(meeting.channel().isActive());
            meeting.channel().config().setAutoRead(true);
            assertEquals("left behind", Content.text(meeting.take()));
            assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
    }

    @Way.Connections
    void withHalfClosureAPeerThatResetsEndsTheChannelToo(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true).start("""
                print("wait")
                input()
                sock.close()
                """)) {
            meeting.python().expect("wait");
            meeting.channel().writeAndFlush(Content.of("never read")).sync();
            meeting.python().say("close");
            assertEquals("ECONNRESET", ((UnixSocketError) meeting.inbox().take(IOException.class)).errnoName());
            assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
    }

    @Way.Connections
    void whenBothDirectionsHaveEndedTheChannelCloses(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true).start("""
                assert sock.recv(100) == b""
                send(sock, b"the last")
                sock.close()
                """)) {
            ((DuplexChannel) meeting.channel()).shutdownOutput().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertEquals("the last", Content.text(meeting.take()));
            assertInputEndsAndChannelCloses(meeting);
        }
        Proof.of("CPython", "with half-closure, a channel closes when both directions have ended, " + way);
    }

    @Way.Connections
    void theChannelClosesAlsoIfThePeersDirectionWasTheFirstToEnd(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true).start("""
                sock.shutdown(socket.SHUT_WR)
                assert sock.recv(100) == b"answer"
                assert sock.recv(100) == b""
                print("end")
                input()
                """)) {
            assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
            DuplexChannel channel = (DuplexChannel) meeting.channel();
            channel.writeAndFlush(Content.of("answer")).sync();
            // It succeeds as a whole, although its first half ends the channel.
            channel.shutdown().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.python().expect("end");
            meeting.python().say("end");
            meeting.end();
        }
    }

    @Way.Connections
    void aResetEndsAChannelWhoseOutputWasShutDown(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("input(); sock.close()")) {
            meeting.channel().writeAndFlush(Content.of("never read")).sync();
            ((DuplexChannel) meeting.channel()).shutdownOutput().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            meeting.python().say("close");
            assertEquals("ECONNRESET", ((UnixSocketError) meeting.inbox().take(IOException.class)).errnoName());
            assertInputEndsAndChannelCloses(meeting);
        }
    }

    private static void assertInputEndsAndChannelCloses(Meeting meeting) throws Exception {
        assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
        assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
        assertSame(Inbox.INACTIVE, meeting.inbox().take());
        meeting.end();
    }

    /** A peer that closes without a reset cannot be noticed: a socket that was shut down here looks the same before. */
    @Way.Connections
    void aResetEndsAChannelThatWasShutDownInBothDirections(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .start("input(); sock.close()")) {
            meeting.channel().writeAndFlush(Content.of("never read")).sync();
            ((DuplexChannel) meeting.channel()).shutdown().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
            assertTrue(meeting.channel().isOpen());
            meeting.python().say("close");
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
    }

    @Way.Connections
    void withoutHalfClosureThePeersEndClosesTheChannel(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("""
                send(sock, b"the last")
                sock.shutdown(socket.SHUT_WR)
                print(sock.recv(100))
                """)) {
            assertEquals("the last", Content.text(meeting.take()));
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            assertFalse(meeting.channel().isOpen());
            meeting.python().expect("b''");
            meeting.end();
        }
        Proof.of("CPython", "the peer's end closes a channel without half-closure, " + way);
    }
}
