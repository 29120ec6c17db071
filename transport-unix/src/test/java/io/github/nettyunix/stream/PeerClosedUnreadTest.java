package io.github.nettyunix.stream;

import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.extension.ExtendWith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** With auto-read off, a channel notices that its peer has closed, with and without something left to read. */
@ExtendWith(LeakCheckExtension.class)
class PeerClosedUnreadTest {
    private static final int BYTES = 100;

    @Setup.Connections
    void aPeersCloseIsNoticedWithoutARead(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false)
                .start("sock.close()")) {
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
        Evidence.of("CPython", "with auto-read off a peer's close is noticed, " + setup);
    }

    @Setup.Connections
    void aPeersCloseIsNoticedAfterTheOnlyRequestedRead(Setup setup) throws Exception {
        assertNoticed(setup, 1);
    }

    @Setup.Connections
    void aPeersCloseIsNoticedIfAnotherReadIsRequested(Setup setup) throws Exception {
        assertNoticed(setup, 2);
    }

    private static void assertNoticed(Setup setup, int reads) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false).start("""
                send(sock, bytes(int(sys.argv[1])))
                sock.close()
                print("closed")
                """, BYTES)) {
            connection.python().expect("closed");
            assertTrue(connection.channel().isActive());
            for (int i = 0; i < reads; i++) {
                connection.channel().read();
            }
            assertEquals(BYTES, connection.take().length);
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
        Evidence.of("CPython", "what a peer left behind is read before its close is noticed, " + reads + " read(s), "
                + setup);
    }
}
