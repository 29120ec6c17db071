package io.github.nettyunix.lifecycle;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Auto-read off: what nobody has asked for waits, and costs nothing. */
@ExtendWith(NothingLeft.class)
class ReadOnDemandTest {
    /** Turns auto-read off when the given message passes. */
    private static final class Pausing extends ChannelInboundHandlerAdapter {
        private final int last;
        private int seen;

        Pausing(int last) {
            this.last = last;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (++seen == last) {
                ctx.channel().config().setAutoRead(false);
            }
            ctx.fireChannelRead(message);
        }
    }

    /** Whatever the loop would do of its own accord, it has done. */
    private static void assertSilent(Ends ends) throws Exception {
        for (int i = 0; i < 20; i++) {
            Ends.settle(ends.receiver);
        }
        assertTrue(ends.inbox.isEmpty());
    }

    @EachType
    void everyReadIsWorthOneMessage(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            for (int i = 0; i < 5; i++) {
                // On a stream only descriptors keep messages apart.
                ends.sender.writeAndFlush(new UnixMessage(Ends.buffer("message " + i), Descriptors.some(1))).sync();
            }
            assertSilent(ends);
            for (int i = 0; i < 5; i++) {
                ends.receiver.read();
                assertEquals("message " + i, ends.text());
                assertSilent(ends);
            }
            // A read without data waits for some.
            ends.receiver.read();
            assertSilent(ends);
            ends.send("late").sync();
            assertEquals("late", ends.text());
            ends.send("too late").sync();
            assertSilent(ends);
            LoopCpu.assertIdle(ends.receiver.eventLoop());
        }
        Proof.of("itself", "with auto-read off a " + type + " channel hands on one message for each read()");
    }

    @EachType
    void readInsideChannelReadAsksForTheNextOne(SocketType type) throws Exception {
        ChannelInboundHandlerAdapter reading = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.fireChannelRead(message);
                ctx.read();
            }
        };
        try (Ends ends = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(reading)) {
            for (int i = 0; i < 50; i++) {
                ends.sender.write(new UnixMessage(Ends.buffer("message " + i), Descriptors.some(1)));
            }
            ends.sender.flush();
            ends.receiver.read();
            for (int i = 0; i < 50; i++) {
                assertEquals("message " + i, ends.text());
            }
        }
    }

    @EachType
    void pauseInTheMiddleOfABatchHoldsTheRestBackAndLosesNone(SocketType type) throws Exception {
        Pausing pausing = new Pausing(3);
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (Ends ends = pair.start(pausing)) {
            for (int i = 0; i < 40; i++) {
                ends.sender.write(new UnixMessage(Ends.buffer("message " + i), Descriptors.some(2)));
            }
            ends.sender.writeAndFlush(Ends.buffer("end")).sync();
            ends.receiver.config().setAutoRead(true);
            for (int i = 0; i < 3; i++) {
                assertEquals("message " + i, ends.text());
            }
            assertSilent(ends);
            LoopCpu.assertIdle(ends.receiver.eventLoop());
            ends.receiver.read();
            assertEquals("message 3", ends.text());
            assertSilent(ends);
            ends.receiver.config().setAutoRead(true);
            for (int i = 4; i < 40; i++) {
                UnixMessage message = ends.inbox.take(UnixMessage.class);
                assertEquals("file 1", Descriptors.text(message.fileDescriptors().get(1)));
                assertEquals("message " + i, Ends.text(message));
            }
            assertEquals("end", ends.text());
        }
        Proof.of("itself", "auto-read turned off in the middle of a batch of " + type
                + " messages holds back the rest, and loses none");
    }

    @EachType
    void closeOfAPausedChannelDropsWhatItHeldBack(SocketType type) throws Exception {
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (Ends ends = pair.start(new Pausing(2))) {
            for (int i = 0; i < 10; i++) {
                ends.sender.write(new UnixMessage(Ends.buffer("message " + i), Descriptors.some(2)));
            }
            ends.sender.writeAndFlush(Ends.buffer("end")).sync();
            ends.receiver.config().setAutoRead(true);
            assertEquals("message 0", ends.text());
            assertEquals("message 1", ends.text());
            assertSilent(ends);
        }
    }

    @EachType
    void handlerThatHoldsBackAutoReadIsObeyed(SocketType type) throws Exception {
        AtomicInteger held = new AtomicInteger();
        ChannelDuplexHandler holding = new ChannelDuplexHandler() {
            @Override
            public void read(ChannelHandlerContext ctx) {
                if (held.getAndIncrement() > 0) {
                    ctx.read();
                }
            }
        };
        try (Ends ends = Ends.of(type).start(holding)) {
            ends.send("message").sync();
            assertSilent(ends);
            assertEquals(1, held.get());
            LoopCpu.assertIdle(ends.receiver.eventLoop());
            ends.receiver.read();
            assertEquals("message", ends.text());
        }
        Proof.of("itself", "a handler that holds back the auto-read of a " + type
                + " channel is obeyed, and the loop does not spin");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void peerThatClosesIsNoticedWithoutARead(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(ChannelOption.AUTO_READ, false).start()) {
            ends.sender.close().sync();
            assertSame(Inbox.INACTIVE, ends.inbox.take());
            assertFalse(ends.receiver.isOpen());
        }
        Proof.of("itself", "a " + type + " channel with auto-read off notices that its peer has closed");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void dataOfAPeerThatHasClosedStaysReadableAndTheLoopDoesNotSpin(SocketType type) throws Exception {
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (Ends ends = pair.start()) {
            for (int i = 0; i < 3; i++) {
                ends.sender.writeAndFlush(new UnixMessage(Ends.buffer("message " + i), Descriptors.some(1))).sync();
            }
            ends.sender.close().sync();
            LoopCpu.assertIdle(ends.receiver.eventLoop());
            assertTrue(ends.inbox.isEmpty() && ends.receiver.isActive());
            for (int i = 0; i < 3; i++) {
                ends.receiver.read();
                UnixMessage message = ends.inbox.take(UnixMessage.class);
                assertEquals(1, message.fileDescriptors().size());
                assertEquals("message " + i, Ends.text(message));
                if (i == 1) {
                    LoopCpu.assertIdle(ends.receiver.eventLoop());
                    assertTrue(ends.receiver.isOpen());
                }
            }
            assertSame(Inbox.INACTIVE, ends.inbox.take());
        }
        Proof.of("itself", "data that a closed " + type
                + " peer left stays readable with auto-read off, and the loop does not spin");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void whatAPeerHadSentIsReadBeforeItsResetIsTold(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).withSender(ChannelOption.AUTO_READ, false).with(ChannelOption.AUTO_READ, false)
                .start()) {
            ends.receiver.writeAndFlush(Ends.buffer("unread")).sync();
            ends.send("last words").sync();
            ends.sender.close().sync();
            assertSilent(ends);
            LoopCpu.assertIdle(ends.receiver.eventLoop());
            ends.receiver.config().setAutoRead(true);
            assertReset(ends);
        }
        Proof.of("itself",
                "what a " + type + " peer had sent before it reset the connection is read, with auto-read off");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void resetIsToldBehindTheLastMessageWithoutAFurtherRead(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).withSender(ChannelOption.AUTO_READ, false).with(ChannelOption.AUTO_READ, false)
                .start()) {
            ends.receiver.writeAndFlush(Ends.buffer("unread")).sync();
            ends.send("last words").sync();
            ends.sender.close().sync();
            assertSilent(ends);
            ends.receiver.read();
            assertReset(ends);
        }
        Proof.of("itself",
                "that a " + type + " peer reset the connection is told behind its last message, with auto-read off");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void whatAPeerHadSentIsReadEvenIfItsResetCameWithIt(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).withSender(ChannelOption.AUTO_READ, false).start()) {
            assertNotSame(ends.sender.eventLoop(), ends.receiver.eventLoop());
            ends.receiver.writeAndFlush(Ends.buffer("unread")).sync();
            CountDownLatch closed = new CountDownLatch(1);
            ends.receiver.eventLoop().execute(() -> {
                try {
                    closed.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            ends.send("last words").sync();
            ends.sender.close().sync();
            closed.countDown();
            assertReset(ends);
        }
        Proof.of("itself", "what a " + type + " peer had sent before it reset the connection is read");
    }

    private static void assertReset(Ends ends) throws Exception {
        assertEquals("last words", ends.text());
        String error = ends.inbox.take(IOException.class).getMessage();
        assertTrue(error.startsWith("read ") && error.contains("ECONNRESET"), error);
        assertSame(Inbox.INACTIVE, ends.inbox.take());
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void peerThatClosesWhileABatchIsHeldBackIsNoticedAfterIt(SocketType type) throws Exception {
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (Ends ends = pair.start(new Pausing(2))) {
            for (int i = 0; i < 5; i++) {
                ends.sender.write(new UnixMessage(Ends.buffer("message " + i), Descriptors.some(1)));
            }
            ends.sender.flush();
            ends.sender.close().sync();
            ends.receiver.config().setAutoRead(true);
            assertEquals("message 0", ends.text());
            assertEquals("message 1", ends.text());
            LoopCpu.assertIdle(ends.receiver.eventLoop());
            assertTrue(ends.inbox.isEmpty() && ends.receiver.isOpen());
            for (int i = 2; i < 5; i++) {
                ends.receiver.read();
                assertEquals("message " + i, ends.text());
            }
            assertSame(Inbox.INACTIVE, ends.inbox.take());
        }
    }

    @EachType
    void closeInsideChannelReadEndsReading(SocketType type) throws Exception {
        AtomicInteger read = new AtomicInteger();
        ChannelInboundHandlerAdapter closing = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                read.incrementAndGet();
                ctx.close();
                ctx.fireChannelRead(message);
            }
        };
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (Ends ends = pair.start(closing)) {
            for (int i = 0; i < 10; i++) {
                ends.sender.writeAndFlush(new UnixMessage(Ends.buffer("message " + i), Descriptors.some(1))).sync();
            }
            ends.receiver.config().setAutoRead(true);
            ends.receiver.closeFuture().sync();
            assertEquals("message 0", ends.text());
            assertSame(Inbox.INACTIVE, ends.inbox.take());
            assertEquals(1, read.get());
            assertTrue(ends.inbox.isEmpty());
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void readIsNotAnsweredByARecordThatIsTooLong(SocketType type) throws Exception {
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false).with(UnixSocketOption.MAX_MESSAGE_SIZE, 10);
        try (Ends ends = pair.start()) {
            ends.receiver.read();
            for (int i = 0; i < 3; i++) {
                ends.send("more than ten bytes").sync();
                assertEquals(19, ends.inbox.take(MessageTruncatedException.class).messageSize());
            }
            ends.send("short").sync();
            assertEquals("short", ends.text());
            ends.send("not asked").sync();
            assertSilent(ends);
        }
        Proof.of("itself", "a " + type + " record that is too long does not use up a read()");
    }

    /** The one behind it came in the same batch, when reading was on. */
    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void recordThatIsTooLongAndHeldBackDoesNotAnswerAReadEither(SocketType type) throws Exception {
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false).with(UnixSocketOption.MAX_MESSAGE_SIZE, 10);
        try (Ends ends = pair.start(new Pausing(1))) {
            for (String text : new String[] {"first", "more than ten bytes", "second", "third"}) {
                ends.send(text).sync();
            }
            ends.receiver.config().setAutoRead(true);
            assertEquals("first", ends.text());
            assertSilent(ends);
            ends.receiver.read();
            ends.inbox.take(MessageTruncatedException.class);
            assertEquals("second", ends.text());
            assertSilent(ends);
            ends.receiver.read();
            assertEquals("third", ends.text());
        }
    }

    @EachRow({"STREAM, SO_PASSCRED", "STREAM, SO_PASSPIDFD", "STREAM, SO_PASSSEC",
            "SEQPACKET, SO_PASSCRED", "SEQPACKET, SO_PASSPIDFD", "SEQPACKET, SO_PASSSEC"})
    @EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: only Linux has these options")
    void peerThatClosesIsNoticedWithoutAReadWhereItsIdentityIsWanted(SocketType type, String name) throws Exception {
        ChannelOption<Boolean> option = ChannelOption.valueOf(UnixSocketOption.class, name);
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false);
        try {
            pair.with(option, true);
        } catch (UnsupportedOperationException e) {
            pair.start().close();
            Assumptions.abort(e.getMessage());
        }
        try (Ends ends = pair.start()) {
            ends.sender.close().sync();
            assertSame(Inbox.INACTIVE, ends.inbox.take());
            assertFalse(ends.receiver.isOpen());
        }
        Proof.of("itself", "a " + type + " channel with auto-read off and " + name
                + " notices that its peer has closed");
    }
}
