package io.github.nettyunix.stream;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.RecordingHandler;
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
@ExtendWith(LeakCheckExtension.class)
class HalfClosureTest {
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void whatWasSentBeforeTheEndArrivesAndThenTheOtherDirectionGoesOn(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.ALLOW_HALF_CLOSURE, true).start()) {
            DuplexChannel sender = (DuplexChannel) pair.sender;
            DuplexChannel receiver = (DuplexChannel) pair.receiver;
            pair.send("last words");
            sender.shutdownOutput().sync();
            assertTrue(sender.isOutputShutdown());
            assertFalse(sender.isInputShutdown() || sender.isShutdown());
            assertEquals("last words", pair.text());
            assertSame(ChannelInputShutdownEvent.INSTANCE, pair.inbox.take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, pair.inbox.take());
            assertTrue(receiver.isInputShutdown() && receiver.isOpen() && receiver.isActive());
            assertFalse(receiver.isOutputShutdown());
            assertSame(ChannelOutputShutdownEvent.INSTANCE, pair.senderInbox.take());
            LoopCpu.assertIdle(receiver.eventLoop());

            receiver.writeAndFlush(ChannelPair.buffer("answer")).sync();
            assertEquals("answer", ChannelPair.text(pair.senderInbox.take()));
            assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(pair.send("too late")));
            receiver.close().sync();
            assertSame(RecordingHandler.INACTIVE, pair.senderInbox.take());
            assertTrue(pair.inbox.take() == RecordingHandler.INACTIVE && pair.inbox.isEmpty());
        }
        Evidence.of("itself", "with ALLOW_HALF_CLOSURE a " + type
                + " channel answers after its peer's last word, without spinning");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void withoutHalfClosureTheEndOfInputClosesTheChannel(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            pair.send("last words");
            ((DuplexChannel) pair.sender).shutdownOutput().sync();
            assertEquals("last words", pair.text());
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertFalse(pair.receiver.isOpen());
            assertSame(ChannelOutputShutdownEvent.INSTANCE, pair.senderInbox.take());
            assertSame(RecordingHandler.INACTIVE, pair.senderInbox.take());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void shutdownInputEndsReadingAndNothingElse(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start()) {
            DuplexChannel receiver = (DuplexChannel) pair.receiver;
            receiver.shutdownInput().sync();
            assertTrue(receiver.isInputShutdown());
            assertFalse(receiver.isOutputShutdown());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, pair.inbox.take());
            LoopCpu.assertIdle(receiver.eventLoop());
            receiver.writeAndFlush(ChannelPair.buffer("out")).sync();
            assertEquals("out", ChannelPair.text(pair.senderInbox.take()));
            assertTrue(receiver.isOpen());
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(pair.send("in")));
            assertEquals("EPIPE", error.errnoName());
        }
        Evidence.of("itself", "shutdownInput of a " + type + " channel ends reading, and writing goes on");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void shutdownEndsBothDirections(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .withSender(ChannelOption.ALLOW_HALF_CLOSURE, true).start()) {
            DuplexChannel sender = (DuplexChannel) pair.sender;
            sender.shutdown().sync();
            assertTrue(sender.isShutdown() && sender.isOpen());
            assertSame(ChannelInputShutdownEvent.INSTANCE, pair.inbox.take());
            // Shutting down twice is harmless.
            sender.shutdown().await();
            LoopCpu.assertIdle(sender.eventLoop());
            LoopCpu.assertIdle(pair.receiver.eventLoop());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void messagesThatWereNotSentFailWhenTheOutputIsShutDown(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.SO_SNDBUF, 5000);
        try (ChannelPair pair = prepared.start()) {
            for (int i = 0; i < 100; i++) {
                pair.sender.write(ChannelPair.buffer("x".repeat(1000)));
            }
            var last = pair.send("never sent");
            ((DuplexChannel) pair.sender).shutdownOutput().sync();
            assertInstanceOf(ChannelOutputShutdownException.class, ChannelPair.failure(last));
            assertTrue(pair.sender.isOpen());
        }
    }
}
