package io.github.nettyunix.stream;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownException;
import io.netty.channel.socket.DuplexChannel;
import org.junit.jupiter.api.extension.ExtendWith;

import java.nio.channels.ClosedChannelException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The two directions of a connection end separately. */
@ExtendWith(NothingLeft.class)
class HalfClosureTest {
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void whatWasSentBeforeTheEndArrivesAndThenTheOtherDirectionGoesOn(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(ChannelOption.ALLOW_HALF_CLOSURE, true).start()) {
            DuplexChannel sender = (DuplexChannel) ends.sender;
            DuplexChannel receiver = (DuplexChannel) ends.receiver;
            ends.send("last words");
            sender.shutdownOutput().sync();
            assertTrue(sender.isOutputShutdown());
            assertFalse(sender.isInputShutdown() || sender.isShutdown());
            assertEquals("last words", ends.text());
            assertSame(ChannelInputShutdownEvent.INSTANCE, ends.inbox.take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, ends.inbox.take());
            assertTrue(receiver.isInputShutdown() && receiver.isOpen() && receiver.isActive());
            assertFalse(receiver.isOutputShutdown());
            assertSame(ChannelOutputShutdownEvent.INSTANCE, ends.senderInbox.take());
            LoopCpu.assertIdle(receiver.eventLoop());

            receiver.writeAndFlush(Ends.buffer("answer")).sync();
            assertEquals("answer", Ends.text(ends.senderInbox.take()));
            assertInstanceOf(ClosedChannelException.class, Ends.failure(ends.send("too late")));
            receiver.close().sync();
            assertSame(Inbox.INACTIVE, ends.senderInbox.take());
            assertTrue(ends.inbox.take() == Inbox.INACTIVE && ends.inbox.isEmpty());
        }
        Proof.of("itself", "with ALLOW_HALF_CLOSURE a " + type
                + " channel answers after its peer's last word, without spinning");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void withoutHalfClosureTheEndOfInputClosesTheChannel(SocketType type) throws Exception {
        try (Ends ends = Ends.started(type)) {
            ends.send("last words");
            ((DuplexChannel) ends.sender).shutdownOutput().sync();
            assertEquals("last words", ends.text());
            assertSame(Inbox.INACTIVE, ends.inbox.take());
            assertFalse(ends.receiver.isOpen());
            assertSame(ChannelOutputShutdownEvent.INSTANCE, ends.senderInbox.take());
            assertSame(Inbox.INACTIVE, ends.senderInbox.take());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void shutdownInputEndsReadingAndNothingElse(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).start()) {
            DuplexChannel receiver = (DuplexChannel) ends.receiver;
            receiver.shutdownInput().sync();
            assertTrue(receiver.isInputShutdown());
            assertFalse(receiver.isOutputShutdown());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, ends.inbox.take());
            LoopCpu.assertIdle(receiver.eventLoop());
            receiver.writeAndFlush(Ends.buffer("out")).sync();
            assertEquals("out", Ends.text(ends.senderInbox.take()));
            assertTrue(receiver.isOpen());
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, Ends.failure(ends.send("in")));
            assertEquals("EPIPE", error.errnoName());
        }
        Proof.of("itself", "shutdownInput of a " + type + " channel ends reading, and writing goes on");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void shutdownEndsBothDirections(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .withSender(ChannelOption.ALLOW_HALF_CLOSURE, true).start()) {
            DuplexChannel sender = (DuplexChannel) ends.sender;
            sender.shutdown().sync();
            assertTrue(sender.isShutdown() && sender.isOpen());
            assertSame(ChannelInputShutdownEvent.INSTANCE, ends.inbox.take());
            // Twice does no harm.
            sender.shutdown().await();
            LoopCpu.assertIdle(sender.eventLoop());
            LoopCpu.assertIdle(ends.receiver.eventLoop());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void messagesThatWereNotSentFailWhenTheOutputIsShutDown(SocketType type) throws Exception {
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false).withSender(ChannelOption.SO_SNDBUF, 5000);
        try (Ends ends = pair.start()) {
            for (int i = 0; i < 100; i++) {
                ends.sender.write(Ends.buffer("x".repeat(1000)));
            }
            var last = ends.send("never sent");
            ((DuplexChannel) ends.sender).shutdownOutput().sync();
            assertInstanceOf(ChannelOutputShutdownException.class, Ends.failure(last));
            assertTrue(ends.sender.isOpen());
        }
    }
}
