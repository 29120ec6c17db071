package io.github.nettyunix.memory;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What must be the same on a seqpacket socket and with shared memory. */
@Tag("user")
@OnlyWith(SocketType.SEQPACKET)
@ExtendWith(LeakCheckExtension.class)
class SharedMemorySemanticsTest {
    private static ChannelPair pair(boolean memory) {
        return memory ? ChannelPair.ofSharedMemory() : ChannelPair.of(SocketType.SEQPACKET);
    }

    private static UnixErrno error(Throwable cause) {
        return assertInstanceOf(UnixSocketError.class, cause, cause.toString()).error();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void directionsEndSeparately(boolean memory) throws Exception {
        Descriptors before = Descriptors.now();
        try (ChannelPair pair = pair(memory).with(ChannelOption.ALLOW_HALF_CLOSURE, true).start()) {
            pair.send("last words");
            ((DuplexChannel) pair.sender).shutdownOutput().sync();
            assertEquals("last words", pair.text());
            assertSame(ChannelInputShutdownEvent.INSTANCE, pair.inbox.take());
            assertSame(ChannelInputShutdownReadComplete.INSTANCE, pair.inbox.take());
            pair.receiver.writeAndFlush(ChannelPair.buffer("answer")).sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, pair.senderInbox.take());
            assertEquals("answer", ChannelPair.text(pair.senderInbox.take()));
            assertTrue(pair.sender.isOpen());
        }
        before.assertUnchanged();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void writesFailOnceThePeerReadsNoMore(boolean memory) throws Exception {
        try (ChannelPair pair = pair(memory).withSender(ChannelOption.AUTO_CLOSE, false).start()) {
            ((DuplexChannel) pair.receiver).shutdownInput().sync();
            ChannelPair.settle(pair.receiver);
            Throwable cause = ChannelPair.failure(pair.send("nobody reads this"));
            assertEquals(UnixErrno.EPIPE, error(cause));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPeerThatClosesWithRecordsUnreadIsReported(boolean memory) throws Exception {
        try (ChannelPair pair = pair(memory).with(ChannelOption.AUTO_READ, false).start()) {
            pair.receiver.writeAndFlush(ChannelPair.buffer("to be read"));
            pair.send("never read").sync();
            pair.receiver.close().sync();
            assertEquals("to be read", ChannelPair.text(pair.senderInbox.take()));
            assertEquals(UnixErrno.ECONNRESET, error((Throwable) pair.senderInbox.take()));
            assertSame(RecordingHandler.INACTIVE, pair.senderInbox.take());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aPeerThatHasReadEverythingEndsInOrder(boolean memory) throws Exception {
        try (ChannelPair pair = pair(memory).start()) {
            for (int i = 0; i < 10; i++) {
                pair.send("record " + i);
                assertEquals("record " + i, pair.text());
            }
            pair.receiver.close().sync();
            assertSame(RecordingHandler.INACTIVE, pair.senderInbox.take());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theEndIsReportedWithoutAReadIfNothingIsLeft(boolean memory) throws Exception {
        try (ChannelPair pair = pair(memory).with(ChannelOption.AUTO_READ, false).start()) {
            pair.sender.close().sync();
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void writesThatWaitFailWhenThePeerIsGone(boolean memory) throws Exception {
        try (ChannelPair pair = pair(memory).with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.AUTO_READ, false).start()) {
            List<ChannelFuture> writes = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                writes.add(pair.sender.writeAndFlush(pair.sender.alloc().buffer(50_000).writeZero(50_000)));
            }
            ChannelPair.settle(pair.sender);
            assertFalse(writes.get(99).isDone());
            pair.receiver.close().sync();
            // It has left records unread. A selector that reports the end first lets the channel close.
            Throwable cause = ChannelPair.failure(writes.get(99));
            assertTrue(cause instanceof ClosedChannelException || error(cause) == UnixErrno.ECONNRESET,
                    cause.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void promisesCompleteInOrderAndCancelledWritesAreNotSent(boolean memory) throws Exception {
        try (ChannelPair pair = pair(memory).start()) {
            List<Integer> completed = new ArrayList<>();
            pair.sender.eventLoop().submit(() -> {
                for (int i = 0; i < 100; i++) {
                    int number = i;
                    ChannelFuture write = pair.sender.write(ChannelPair.buffer("record " + i));
                    if (i % 3 == 0) {
                        assertTrue(write.cancel(false));
                    } else {
                        write.addListener(done -> completed.add(number));
                    }
                }
                pair.sender.flush();
            }).sync();
            for (int i = 0; i < 100; i++) {
                if (i % 3 != 0) {
                    assertEquals("record " + i, pair.text());
                }
            }
            ChannelPair.settle(pair.sender);
            assertEquals(66, completed.size());
            assertEquals(completed.stream().sorted().toList(), completed);
            assertTrue(pair.inbox.isEmpty());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aListenerMayCloseTheChannel(boolean memory) throws Exception {
        try (ChannelPair pair = pair(memory).start()) {
            ChannelFuture last = pair.sender.eventLoop().submit(() -> {
                pair.sender.write(ChannelPair.buffer("first")).addListener(done -> pair.sender.close());
                ChannelFuture second = pair.sender.write(ChannelPair.buffer("second"));
                pair.sender.flush();
                return second;
            }).sync().getNow();
            // Both were sent together.
            last.sync();
            assertEquals("first", pair.text());
            assertEquals("second", pair.text());
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
        }
    }
}
