package io.github.nettyunix.adopt;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Another holder of a channel's socket changes what they share. */
@ExtendWith(NothingLeft.class)
class SharedSocketTest {
    @EachRow({"STREAM, false, false", "STREAM, true, false", "STREAM, true, true", "SEQPACKET, false, false",
            "SEQPACKET, true, false", "DATAGRAM, false, false", "DATAGRAM, true, false"})
    void readsDoNotWaitOnASocketThatBlocks(SocketType type, boolean controlData, boolean exact) throws Exception {
        Ends pair = Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData);
        if (exact) {
            if (!ReceiveBatch.CAN_FIND_BARRIER) {
                pair.start().close();
                return;
            }
            pair.with(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        }
        try (Ends ends = pair.start(); UnixFileDescriptor other =
                UnixFileDescriptor.dup(((UnixChannel) ends.receiver).fd())) {
            other.setBlocking(true);
            for (int i = 0; i < 40; i++) {
                ends.send("message " + i).sync();
                assertEquals("message " + i, ends.text());
                assertTrue(ends.receiver.eventLoop().submit(() -> { }).await(10, TimeUnit.SECONDS),
                        "the event loop waits");
            }
            // Without auto-read it looks whether the peer has closed.
            ends.receiver.config().setAutoRead(false);
            assertTrue(ends.receiver.eventLoop().submit(() -> { }).await(10, TimeUnit.SECONDS), "the event loop waits");
            other.setBlocking(false);
        }
        Proof.of("itself", "reads of a " + type + " socket that another holder lets block do not wait");
    }
}
