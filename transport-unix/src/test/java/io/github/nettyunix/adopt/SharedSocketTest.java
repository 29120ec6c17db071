package io.github.nettyunix.adopt;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Another holder of a channel's socket changes what they share. */
@ExtendWith(LeakCheckExtension.class)
class SharedSocketTest {
    @EachRow({"STREAM, false, false", "STREAM, true, false", "STREAM, true, true", "SEQPACKET, false, false",
            "SEQPACKET, true, false", "DATAGRAM, false, false", "DATAGRAM, true, false"})
    void readsDoNotWaitOnASocketThatBlocks(SocketType type, boolean controlData, boolean exact) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData);
        if (exact) {
            if (!ReceiveBatch.CAN_FIND_BARRIER) {
                prepared.start().close();
                return;
            }
            prepared.with(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        }
        try (ChannelPair pair = prepared.start(); UnixFileDescriptor other =
                UnixFileDescriptor.dup(((UnixChannel) pair.receiver).fd())) {
            other.setBlocking(true);
            for (int i = 0; i < 40; i++) {
                pair.send("message " + i).sync();
                assertEquals("message " + i, pair.text());
                assertTrue(pair.receiver.eventLoop().submit(() -> { }).await(10, TimeUnit.SECONDS),
                        "the event loop waits");
            }
            // Without auto-read, the channel checks whether the peer has closed.
            pair.receiver.config().setAutoRead(false);
            assertTrue(pair.receiver.eventLoop().submit(() -> { }).await(10, TimeUnit.SECONDS), "the event loop waits");
            other.setBlocking(false);
        }
        Evidence.of("itself", "reads of a " + type + " socket that another holder lets block do not wait");
    }
}
