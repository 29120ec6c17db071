package io.github.nettyunix.stream;

import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Meeting;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Way;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.extension.ExtendWith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** With auto-read off, a channel notices that its peer has closed, with and without something left to read. */
@ExtendWith(NothingLeft.class)
class PeerClosedUnreadTest {
    private static final int BYTES = 100;

    @Way.Connections
    void aPeersCloseIsNoticedWithoutARead(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.AUTO_READ, false).start("sock.close()")) {
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
        Proof.of("CPython", "with auto-read off a peer's close is noticed, " + way);
    }

    @Way.Connections
    void aPeersCloseIsNoticedAfterTheOnlyReadThatWasAskedFor(Way way) throws Exception {
        assertNoticed(way, 1);
    }

    @Way.Connections
    void aPeersCloseIsNoticedIfMoreIsAskedFor(Way way) throws Exception {
        assertNoticed(way, 2);
    }

    private static void assertNoticed(Way way, int reads) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.AUTO_READ, false).start("""
                send(sock, bytes(int(sys.argv[1])))
                sock.close()
                print("closed")
                """, BYTES)) {
            meeting.python().expect("closed");
            assertTrue(meeting.channel().isActive());
            for (int i = 0; i < reads; i++) {
                meeting.channel().read();
            }
            assertEquals(BYTES, meeting.take().length);
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
        Proof.of("CPython", "what a peer left behind is read before its close is noticed, " + reads + " read(s), "
                + way);
    }
}
