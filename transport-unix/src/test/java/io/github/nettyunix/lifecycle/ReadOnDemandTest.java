package io.github.nettyunix.lifecycle;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.RecordingHandler;
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

/** Auto-read off: what was not requested waits, and costs nothing. */
@ExtendWith(LeakCheckExtension.class)
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

    /** Waits until the loop has done whatever it would do by itself. */
    private static void assertSilent(ChannelPair pair) throws Exception {
        for (int i = 0; i < 20; i++) {
            ChannelPair.settle(pair.receiver);
        }
        assertTrue(pair.inbox.isEmpty());
    }

    @EachType
    void everyReadIsWorthOneMessage(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            for (int i = 0; i < 5; i++) {
                // On a stream, only descriptors separate messages.
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(1)))
                        .sync();
            }
            assertSilent(pair);
            for (int i = 0; i < 5; i++) {
                pair.receiver.read();
                assertEquals("message " + i, pair.text());
                assertSilent(pair);
            }
            // A read() without data waits for data.
            pair.receiver.read();
            assertSilent(pair);
            pair.send("late").sync();
            assertEquals("late", pair.text());
            pair.send("too late").sync();
            assertSilent(pair);
            LoopCpu.assertIdle(pair.receiver.eventLoop());
        }
        Evidence.of("itself", "with auto-read off a " + type + " channel hands on one message for each read()");
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
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(reading)) {
            for (int i = 0; i < 50; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(1)));
            }
            pair.sender.flush();
            pair.receiver.read();
            for (int i = 0; i < 50; i++) {
                assertEquals("message " + i, pair.text());
            }
        }
    }

    @EachType
    void pauseInTheMiddleOfABatchHoldsTheRestBackAndLosesNone(SocketType type) throws Exception {
        Pausing pausing = new Pausing(3);
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (ChannelPair pair = prepared.start(pausing)) {
            for (int i = 0; i < 40; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(2)));
            }
            pair.sender.writeAndFlush(ChannelPair.buffer("end")).sync();
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < 3; i++) {
                assertEquals("message " + i, pair.text());
            }
            assertSilent(pair);
            LoopCpu.assertIdle(pair.receiver.eventLoop());
            pair.receiver.read();
            assertEquals("message 3", pair.text());
            assertSilent(pair);
            pair.receiver.config().setAutoRead(true);
            for (int i = 4; i < 40; i++) {
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                assertEquals("file 1", Descriptors.text(message.fileDescriptors().get(1)));
                assertEquals("message " + i, ChannelPair.text(message));
            }
            assertEquals("end", pair.text());
        }
        Evidence.of("itself", "auto-read turned off in the middle of a batch of " + type
                + " messages holds back the rest, and loses none");
    }

    @EachType
    void closeOfAPausedChannelDropsWhatItHeldBack(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (ChannelPair pair = prepared.start(new Pausing(2))) {
            for (int i = 0; i < 10; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(2)));
            }
            pair.sender.writeAndFlush(ChannelPair.buffer("end")).sync();
            pair.receiver.config().setAutoRead(true);
            assertEquals("message 0", pair.text());
            assertEquals("message 1", pair.text());
            assertSilent(pair);
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
        try (ChannelPair pair = ChannelPair.of(type).start(holding)) {
            pair.send("message").sync();
            assertSilent(pair);
            assertEquals(1, held.get());
            LoopCpu.assertIdle(pair.receiver.eventLoop());
            pair.receiver.read();
            assertEquals("message", pair.text());
        }
        Evidence.of("itself", "a handler that holds back the auto-read of a " + type
                + " channel is obeyed, and the loop does not spin");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void peerThatClosesIsNoticedWithoutARead(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false).start()) {
            pair.sender.close().sync();
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertFalse(pair.receiver.isOpen());
        }
        Evidence.of("itself", "a " + type + " channel with auto-read off notices that its peer has closed");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void dataOfAPeerThatHasClosedStaysReadableAndTheLoopDoesNotSpin(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (ChannelPair pair = prepared.start()) {
            for (int i = 0; i < 3; i++) {
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(1)))
                        .sync();
            }
            pair.sender.close().sync();
            LoopCpu.assertIdle(pair.receiver.eventLoop());
            assertTrue(pair.inbox.isEmpty() && pair.receiver.isActive());
            for (int i = 0; i < 3; i++) {
                pair.receiver.read();
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                assertEquals(1, message.fileDescriptors().size());
                assertEquals("message " + i, ChannelPair.text(message));
                if (i == 1) {
                    LoopCpu.assertIdle(pair.receiver.eventLoop());
                    assertTrue(pair.receiver.isOpen());
                }
            }
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
        Evidence.of("itself", "data that a closed " + type
                + " peer left stays readable with auto-read off, and the loop does not spin");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void dataOfAPeerIsReadBeforeItsResetIsReported(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false)
                .with(ChannelOption.AUTO_READ, false)
                .start()) {
            pair.receiver.writeAndFlush(ChannelPair.buffer("unread")).sync();
            pair.send("last words").sync();
            pair.sender.close().sync();
            assertSilent(pair);
            LoopCpu.assertIdle(pair.receiver.eventLoop());
            pair.receiver.config().setAutoRead(true);
            assertReset(pair);
        }
        Evidence.of("itself",
                "what a " + type + " peer had sent before it reset the connection is read, with auto-read off");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void resetIsReportedAfterTheLastMessageWithoutAnotherRead(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false)
                .with(ChannelOption.AUTO_READ, false)
                .start()) {
            pair.receiver.writeAndFlush(ChannelPair.buffer("unread")).sync();
            pair.send("last words").sync();
            pair.sender.close().sync();
            assertSilent(pair);
            pair.receiver.read();
            assertReset(pair);
        }
        Evidence.of("itself",
                "that a " + type + " peer reset the connection is reported after its last message, with auto-read off");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void whatAPeerHadSentIsReadEvenIfItsResetCameWithIt(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false).start()) {
            assertNotSame(pair.sender.eventLoop(), pair.receiver.eventLoop());
            pair.receiver.writeAndFlush(ChannelPair.buffer("unread")).sync();
            CountDownLatch closed = new CountDownLatch(1);
            pair.receiver.eventLoop().execute(() -> {
                try {
                    closed.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            pair.send("last words").sync();
            pair.sender.close().sync();
            closed.countDown();
            assertReset(pair);
        }
        Evidence.of("itself", "what a " + type + " peer had sent before it reset the connection is read");
    }

    private static void assertReset(ChannelPair pair) throws Exception {
        assertEquals("last words", pair.text());
        String error = pair.inbox.take(IOException.class).getMessage();
        assertTrue(error.startsWith("read ") && error.contains("ECONNRESET"), error);
        assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void peerThatClosesWhileABatchIsHeldBackIsNoticedAfterIt(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (ChannelPair pair = prepared.start(new Pausing(2))) {
            for (int i = 0; i < 5; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(1)));
            }
            pair.sender.flush();
            pair.sender.close().sync();
            pair.receiver.config().setAutoRead(true);
            assertEquals("message 0", pair.text());
            assertEquals("message 1", pair.text());
            LoopCpu.assertIdle(pair.receiver.eventLoop());
            assertTrue(pair.inbox.isEmpty() && pair.receiver.isOpen());
            for (int i = 2; i < 5; i++) {
                pair.receiver.read();
                assertEquals("message " + i, pair.text());
            }
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
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
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        try (ChannelPair pair = prepared.start(closing)) {
            for (int i = 0; i < 10; i++) {
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(1)))
                        .sync();
            }
            pair.receiver.config().setAutoRead(true);
            pair.receiver.closeFuture().sync();
            assertEquals("message 0", pair.text());
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertEquals(1, read.get());
            assertTrue(pair.inbox.isEmpty());
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void readIsNotAnsweredByARecordThatIsTooLong(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.MAX_MESSAGE_SIZE, 10);
        try (ChannelPair pair = prepared.start()) {
            pair.receiver.read();
            for (int i = 0; i < 3; i++) {
                pair.send("more than ten bytes").sync();
                assertEquals(19, pair.inbox.take(MessageTruncatedException.class).messageSize());
            }
            pair.send("short").sync();
            assertEquals("short", pair.text());
            pair.send("not asked").sync();
            assertSilent(pair);
        }
        Evidence.of("itself", "a " + type + " record that is too long does not use up a read()");
    }

    /** The next one arrived in the same batch, while reading was on. */
    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void recordThatIsTooLongAndHeldBackDoesNotAnswerAReadEither(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.MAX_MESSAGE_SIZE, 10);
        try (ChannelPair pair = prepared.start(new Pausing(1))) {
            for (String text : new String[] {"first", "more than ten bytes", "second", "third"}) {
                pair.send(text).sync();
            }
            pair.receiver.config().setAutoRead(true);
            assertEquals("first", pair.text());
            assertSilent(pair);
            pair.receiver.read();
            pair.inbox.take(MessageTruncatedException.class);
            assertEquals("second", pair.text());
            assertSilent(pair);
            pair.receiver.read();
            assertEquals("third", pair.text());
        }
    }

    @EachRow({"STREAM, SO_PASSCRED", "STREAM, SO_PASSPIDFD", "STREAM, SO_PASSSEC",
            "SEQPACKET, SO_PASSCRED", "SEQPACKET, SO_PASSPIDFD", "SEQPACKET, SO_PASSSEC"})
    @EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: only Linux has these options")
    void peerThatClosesIsNoticedWithoutAReadWhereItsIdentityIsWanted(SocketType type, String name) throws Exception {
        ChannelOption<Boolean> option = ChannelOption.valueOf(UnixSocketOption.class, name);
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false);
        try {
            prepared.with(option, true);
        } catch (UnsupportedOperationException e) {
            prepared.start().close();
            Assumptions.abort(e.getMessage());
        }
        try (ChannelPair pair = prepared.start()) {
            pair.sender.close().sync();
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertFalse(pair.receiver.isOpen());
        }
        Evidence.of("itself", "a " + type + " channel with auto-read off and " + name
                + " notices that its peer has closed");
    }
}
