package io.github.nettyunix.descriptor;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** How many descriptors a message can carry, and how many are accepted. */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class DescriptorLimitTest {
    private static void send(ChannelPair pair, String text, int fds) throws Exception {
        pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer(text), Descriptors.some(fds))).sync();
    }

    private static void assertMessage(RecordingHandler inbox, String text, int fds) throws Exception {
        UnixMessage message = inbox.take(UnixMessage.class);
        List<UnixFileDescriptor> found = message.fileDescriptors();
        assertEquals(fds, found.size());
        for (int i = 0; i < fds; i++) {
            assertEquals("file " + i, Descriptors.text(found.get(i)));
        }
        assertEquals(text, ChannelPair.text(message));
    }

    @EachType
    void messageCarriesAsManyDescriptorsAsTheKernelAllows(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            assertEquals(253, pair.receiver.config().getOption(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE));
            send(pair, "most", UnixMessage.MAX_FILE_DESCRIPTORS);
            assertMessage(pair.inbox, "most", 253);
        }
        Evidence.of("itself", "253 descriptors travel in one " + type + " message, in order");
    }

    @EachType
    void limitOfZeroDiscardsDescriptorsWithoutAnError(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .with(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 0);
        try (ChannelPair pair = prepared.start()) {
            int before = Descriptors.open().size();
            for (int fds : new int[] {1, 2, 100}) {
                send(pair, "fds: " + fds, fds);
                assertMessage(pair.inbox, "fds: " + fds, 0);
                assertEquals(before, Descriptors.open().size());
            }
        }
        Evidence.of("itself", "with a limit of 0 a " + type + " channel gets messages, no descriptors and no error");
    }

    @EachRow({"SEQPACKET, 1, 2", "SEQPACKET, 1, 253", "SEQPACKET, 2, 3", "SEQPACKET, 2, 4", "SEQPACKET, 252, 253",
        "DATAGRAM, 1, 2", "DATAGRAM, 1, 253", "DATAGRAM, 2, 3", "DATAGRAM, 2, 4", "DATAGRAM, 252, 253"})
    void recordWithMoreThanTheLimitIsDroppedAndTheChannelStaysUsable(SocketType type, int limit,
    int fds) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, limit);
        try (ChannelPair pair = prepared.start()) {
            send(pair, "before", limit);
            send(pair, "too many", fds);
            send(pair, "none", 0);
            send(pair, "after", limit);
            int before = Descriptors.open().size();
            // One batch.
            pair.receiver.config().setAutoRead(true);
            UnixMessage first = pair.inbox.take(UnixMessage.class);
            ControlDataTruncatedException error = pair.inbox.take(ControlDataTruncatedException.class);
            assertEquals("read", error.operation());
            assertEquals(type, error.socketType());
            assertTrue(error.getMessage().contains("MAX_FILE_DESCRIPTORS_PER_MESSAGE is " + limit), error.getMessage());
            UnixMessage second = pair.inbox.take(UnixMessage.class);
            UnixMessage third = pair.inbox.take(UnixMessage.class);
            assertEquals(before + 2 * limit, Descriptors.open().size());
            assertEquals("before", ChannelPair.text(first));
            assertEquals("none", ChannelPair.text(second));
            assertEquals(limit, third.fileDescriptors().size());
            assertEquals("after", ChannelPair.text(third));
            assertTrue(pair.inbox.isEmpty());
            assertTrue(pair.receiver.isActive());
        }
        Evidence.of("itself", "a " + type + " channel drops a message with " + fds + " descriptors where " + limit
                + " are allowed");
    }

    @EachRow({"1, 2, false", "1, 253, true", "2, 3, true", "252, 253, false"})
    void streamWithMoreThanTheLimitClosesAfterOneError(int limit, int fds, boolean halfClosure) throws Exception {
        ChannelPair prepared = ChannelPair.of(SocketType.STREAM).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .with(ChannelOption.AUTO_READ, false).with(ChannelOption.ALLOW_HALF_CLOSURE, halfClosure)
                .with(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, limit);
        try (ChannelPair pair = prepared.start()) {
            send(pair, "before", limit);
            send(pair, "too many", fds);
            send(pair, "after", fds);
            int before = Descriptors.open().size();
            pair.receiver.config().setAutoRead(true);
            UnixMessage first = pair.inbox.take(UnixMessage.class);
            assertEquals(limit, first.fileDescriptors().size());
            ControlDataTruncatedException error = pair.inbox.take(ControlDataTruncatedException.class);
            assertEquals("EMSGSIZE", error.errnoName());
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertFalse(pair.receiver.isOpen());
            assertEquals("before", ChannelPair.text(first));
            assertTrue(Descriptors.open().size() < before);
            assertTrue(pair.inbox.isEmpty());
        }
        Evidence.of("itself", "a stream that lost descriptors (" + fds + " where " + limit
                + " are allowed) closes after one error");
    }

    @EachType
    void limitCannotBeAboveTheKernels(SocketType type) throws Exception {
        ChannelPair pair = ChannelPair.of(type);
        for (int wrong : new int[] {-1, 254}) {
            assertThrows(IllegalArgumentException.class,
                    () -> pair.with(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, wrong));
        }
        pair.start().close();
    }
}
