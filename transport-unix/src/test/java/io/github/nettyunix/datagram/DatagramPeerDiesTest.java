package io.github.nettyunix.datagram;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.unix.DomainDatagramPacket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.channels.NotYetConnectedException;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A connected datagram channel whose peer is gone: the kernel disconnects the socket when a write finds that out.
 */
@ExtendWith(LeakCheckExtension.class)
class DatagramPeerDiesTest {
    @TempDir
    private Path folder;

    private final RecordingHandler inbox = new RecordingHandler();

    private UnixSocketAddress address(String name) {
        return UnixSocketAddress.of(folder.resolve(name));
    }

    private void assertNext(String sender, String text) {
        DomainDatagramPacket packet = inbox.take(DomainDatagramPacket.class);
        assertEquals(address(sender), packet.sender());
        assertEquals(text, ChannelPair.text(packet));
    }

    @Test
    void aStrangersDatagramIsNeverThePeersAndTheChannelCanBeConnectedAgain() throws Exception {
        try (Python python = Python.run("""
                def bound(name):
                    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    sock.bind(sys.argv[1] + "/" + name)
                    return sock
                peer, stranger = bound("peer"), bound("stranger")
                print("bound")
                input()
                us = sys.argv[1] + "/us"
                peer.sendto(b"from the peer", us)
                peer.close()
                try:
                    stranger.sendto(b"too early", us)
                except PermissionError:
                    print("closed")
                input()
                stranger.sendto(b"from a stranger", us)
                os.unlink(sys.argv[1] + "/peer")
                peer = bound("peer")
                print("bound")
                print(peer.recv(100).decode())
                peer.sendto(b"back", us)
                """, folder)) {
            python.expect("bound");
            UnixDatagramChannel channel = (UnixDatagramChannel) Channels.client(SocketType.DATAGRAM, inbox)
                    .connect(address("peer"), address("us")).sync().channel();
            assertTrue(channel.isConnected());
            python.say("close");
            python.expect("closed");
            assertNext("peer", "from the peer");

            Throwable cause = ChannelPair.failure(channel.writeAndFlush(ChannelPair.buffer("to nobody")));
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, cause);
            assertEquals("ECONNREFUSED", error.errnoName());
            assertEquals(address("peer"), error.address());
            assertFalse(channel.isConnected());
            assertNull(channel.remoteAddress());
            assertInstanceOf(NotYetConnectedException.class,
                    ChannelPair.failure(channel.writeAndFlush(ChannelPair.buffer("to nobody"))));
            assertTrue(channel.isOpen() && channel.isActive());

            python.say("go on");
            python.expect("bound");
            assertNext("stranger", "from a stranger");
            channel.connect(address("peer")).sync();
            assertTrue(channel.isConnected());
            channel.writeAndFlush(ChannelPair.buffer("again")).sync();
            python.expect("again");
            assertNext("peer", "back");
            python.succeed();
            channel.close().sync();
        }
        assertTrue(inbox.take() == RecordingHandler.INACTIVE && inbox.isEmpty());
        Evidence.of("CPython", "a stranger's datagram is never that of a peer that has died");
    }
}
