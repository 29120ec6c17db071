package io.github.nettyunix.internal.read;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.testing.LeakCheckExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a peer has to do before precautions against it end. */
@ExtendWith(LeakCheckExtension.class)
class PeerTrustTest {
    private interface Check {
        void run(PeerTrust trust);
    }

    /** A pair's peer is this process; a datagram socket without a peer stands for a stranger's. */
    private static void check(boolean ours, Check check) throws IOException {
        int[] pair = new int[2];
        assertEquals(0, UnixSocket.newSocketPair(SocketType.STREAM.ordinal(), pair));
        UnixSocket own = new UnixSocket(pair[0]);
        UnixSocket peer = new UnixSocket(pair[1]);
        UnixSocket stranger = new UnixSocket(UnixSocket.newSocket(SocketType.DATAGRAM.ordinal()));
        try {
            check.run(new PeerTrust(ours ? own : stranger));
        } finally {
            own.close();
            peer.close();
            stranger.close();
        }
    }

    @Test
    void messagesOfOurOwnUserAreBatchedAfterAThousand() throws IOException {
        check(true, trust -> {
            trust.received(999);
            assertFalse(trust.isTrusted());
            trust.received(1);
            assertTrue(trust.isTrusted());
            assertFalse(trust.isHarmless(0), "none of them has brought a descriptor");
        });
    }

    @Test
    void descriptorsOfOurOwnUserAreClosedWithoutALookAfterAThousand() throws IOException {
        check(true, trust -> {
            assertFalse(trust.isHarmless(999));
            assertFalse(trust.isHarmless(1));
            assertTrue(trust.isHarmless(1));
            assertTrue(trust.isTrusted());
        });
    }

    @Test
    void aStrangerRemainsOne() throws IOException {
        check(false, trust -> {
            trust.received(100_000);
            trust.isHarmless(100_000);
            assertFalse(trust.isTrusted());
            assertFalse(trust.isHarmless(1));
        });
    }
}
