package io.github.nettyunix.identity;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.endpoint.PeerIdentity;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Pidfds and security labels of CPython's process, of the peer and with every message. */
@Tag("library")
@Tag("user")
class CPythonIdentityTest {
    /** Returns the process that a pidfd refers to; -1 if it has ended. */
    private static long pidOf(UnixFileDescriptor pidFd) throws IOException {
        assertTrue(Content.isCloseOnExec(pidFd));
        return Files.readAllLines(Path.of("/proc/self/fdinfo/" + pidFd.intValue())).stream()
                .filter(line -> line.startsWith("Pid:")).mapToLong(line -> Long.parseLong(line.substring(4).trim()))
                .findFirst().orElseThrow(() -> new AssertionError("no pidfd"));
    }

    private static void assertErrno(String name, Throwable error) {
        assertEquals(name, assertInstanceOf(UnixSocketError.class, error).errnoName(), error.toString());
    }

    @Setup.Connections
    void thePeersPidFdIsOfItsProcess(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("wait_for_end()")) {
            UnixFileDescriptor pidFd = ((UnixPeer) connection.channel()).peerPidFd();
            assertEquals(connection.python().pid(), pidOf(pidFd));
            pidFd.release();
            connection.end();
        }
        Evidence.of("CPython", "peerPidFd(), " + setup);
    }

    static Stream<Setup> serving() {
        return Setup.connections().filter(Setup::isServing);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("serving")
    void aPeerThatHasGoneIsNotAnOldKernel(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.AUTO_READ, false)
                .start("send(sock, b'last words')")) {
            connection.python().succeed();
            UnixPeer peer = (UnixPeer) connection.channel();
            assertEquals(connection.python().pid(), peer.peerCredentials().pid());
            try (UnixFileDescriptor pidFd = peer.peerPidFd()) {
                assertEquals(-1, pidOf(pidFd));
            } catch (IOException beforeLinux616) {
                assertErrno("ESRCH", beforeLinux616);
                assertTrue(beforeLinux616.getMessage().endsWith(
                        "the peer's process has ended, and only Linux 6.16 and later still "
                        + "has a descriptor of it"), beforeLinux616.getMessage());
            }
            connection.channel().read();
            assertEquals("last words", Content.text(connection.take()));
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
        Evidence.of("CPython", "the pidfd of a peer that has gone, " + setup);
    }

    @Test
    void whatKernelsLackIsNamed() throws Exception {
        UnixStreamChannel channel = new UnixStreamChannel();
        ChannelCore core = (ChannelCore) channel.unsafe();
        try {
            for (String errno : List.of("ESRCH", "EINVAL")) {
                int number = errno.equals("ESRCH") ? 3 : 22;
                assertErrno("ESRCH", PeerIdentity.pidFdFailure(core, -number));
            }
            assertErrno("EMFILE", PeerIdentity.pidFdFailure(core, -24));
            int enoprotoopt = io.github.nettyunix.internal.socket.Errno.ENOPROTOOPT;
            assertEquals("SO_PEERPIDFD stream: it needs Linux 6.5 or later",
                    assertThrows(UnsupportedOperationException.class,
                    () -> PeerIdentity.pidFdFailure(core, -enoprotoopt)).getMessage());
        } finally {
            channel.unsafe().closeForcibly();
        }
    }

    @EachType
    void identityOfAChannelWithoutAPeerFailsWithENOTCONN(SocketType type) {
        Channel channel = Channels.newClient(type);
        UnixPeer peer = (UnixPeer) channel;
        assertErrno("ENOTCONN", assertThrows(IOException.class, peer::peerPidFd));
        assertErrno("ENOTCONN", assertThrows(IOException.class, peer::peerSecurityLabel));
        assertErrno("ENOTCONN", assertThrows(IOException.class, peer::peerCredentials));
        channel.unsafe().closeForcibly();
        assertErrno("EBADF", assertThrows(IOException.class, peer::peerPidFd));
        assertErrno("EBADF", assertThrows(IOException.class, peer::peerSecurityLabel));
    }

    @EachType
    void aPairsPeerIsThisProcess(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type); UnixFileDescriptor pidFd = ((UnixPeer) pair.sender)
                .peerPidFd()) {
            assertEquals(ProcessHandle.current().pid(), pidOf(pidFd));
        }
    }

    @Setup.Connections
    void thePeersLabelIsWhatItsSecurityModuleSays(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                try:
                    print(sock.getsockopt(socket.SOL_SOCKET, SO_PEERSEC, 4096).rstrip(b"\\0").decode() and
                          open("/proc/self/attr/current").read().strip().rstrip("\\0"))
                except OSError:
                    print("unknown")
                wait_for_end()
                """)) {
            String label = connection.python().line();
            UnixPeer peer = (UnixPeer) connection.channel();
            if (label.equals("unknown")) {
                assertEquals("SO_PEERSEC " + setup.type()
                        + ": it needs Linux 2.6.2 or later and a security module that labels "
                        + "sockets", assertThrows(UnsupportedOperationException.class, peer::peerSecurityLabel)
                        .getMessage());
            } else {
                assertEquals(label, peer.peerSecurityLabel());
            }
            connection.end();
        }
        Evidence.of("CPython", "peerSecurityLabel(), " + setup);
    }

    /**
     * Sent before the server accepts, with the maximum of descriptors, which precede the pidfd and which nobody asked
     * for.
     */
    @Setup.Every
    void theFirstMessageHasItsSendersPidFdAndNoDescriptors(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).firstOption(UnixSocketOption.SO_PASSPIDFD, true)
                .start("""
                for _ in range(3):
                    send(sock, b"x", [labelled("unwanted")] * 253, peer)
                wait_for_end()
                """)) {
            for (int length = 0; length < 3;) {
                UnixMessage message = connection.inbox().take(UnixMessage.class);
                assertEquals(List.of(), message.fileDescriptors());
                assertNull(message.credentials());
                UnixFileDescriptor pidFd = message.pidFd();
                assertEquals(connection.python().pid(), pidOf(pidFd));
                length += Content.take(message).length;
                assertFalse(pidFd.isOpen());
            }
            connection.end();
        }
        Evidence.of("CPython", "the pidfd of the sender of the first message, and none of its 253 descriptors, "
                + setup);
    }

    @Setup.Every
    void allControlDataComesInOneMessage(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).firstOption(UnixSocketOption.SO_PASSCRED, true)
                .firstOption(UnixSocketOption.SO_PASSPIDFD, true).firstOption(UnixSocketOption.SO_PASSSEC, true)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start("""
                input()
                send(sock, b"most", [labelled("same")] * 253, peer)
                send(sock, b"one", [labelled("one")], peer)
                send(sock, b"none", [], peer)
                wait_for_end()
                """)) {
            connection.python().say("ready");
            assertAll(connection, "most", 253);
            assertAll(connection, "one", 1);
            assertAll(connection, "none", 0);
            connection.end();
        }
        Evidence.of("CPython", "credentials, a pidfd and 253 descriptors in one message, " + setup);
    }

    private static void assertAll(PeerConnection connection, String text, int fds) throws IOException {
        UnixMessage message = connection.inbox().take(UnixMessage.class);
        assertEquals(connection.python().pid(), message.credentials().pid());
        assertEquals(connection.python().pid(), pidOf(message.pidFd()));
        assertEquals(fds, message.fileDescriptors().size());
        assertEquals(text, Content.text(Content.take(message)));
    }

    @Setup.Few
    void moreDescriptorsThanAllowedTakeThePidFdWithThem(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).firstOption(UnixSocketOption.SO_PASSPIDFD, true)
                .option(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 2).start("""
                input()
                send(sock, b"x", [labelled("x")] * 3, peer)
                wait_for_end()
                """)) {
            connection.python().say("ready");
            connection.inbox().take(ControlDataTruncatedException.class);
            connection.end();
        }
    }

    @Setup.Few
    void sendersOfDescriptorsAreRefused(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                input()
                try:
                    send(sock, b"with", [labelled("x")], peer)
                    print("sent")
                except OSError as e:
                    print(errno.errorcode[e.errno])
                send(sock, b"without", [], peer)
                wait_for_end()
                """)) {
            Channel channel = connection.channel();
            assertEquals(true, channel.config().getOption(UnixSocketOption.SO_PASSRIGHTS));
            boolean refused = true;
            try {
                assertTrue(channel.config().setOption(UnixSocketOption.SO_PASSRIGHTS, false));
                assertEquals(false, channel.config().getOption(UnixSocketOption.SO_PASSRIGHTS));
            } catch (UnsupportedOperationException e) {
                assertEquals("SO_PASSRIGHTS " + setup.type() + ": it needs Linux 6.16 or later", e.getMessage());
                refused = false;
            }
            connection.python().say("ready");
            connection.python().expect(refused ? "EPERM" : "sent");
            assertEquals(refused ? "without" : "with", Content.text(connection.take()).substring(0, refused ? 7 : 4));
            connection.inbox().release();
            connection.end();
        }
        Evidence.of("CPython", "SO_PASSRIGHTS, " + setup);
    }

    @Setup.Every
    void emptyRecordsAndTheEndAreDistinguishedWithLabelsToo(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).firstOption(UnixSocketOption.SO_PASSSEC, true)
                .start("""
                input()
                if sock.type != socket.SOCK_STREAM:
                    send(sock, b"", [], peer)
                send(sock, b"x", [], peer)
                input()
                """)) {
            assertEquals(true, connection.channel().config().getOption(UnixSocketOption.SO_PASSSEC));
            connection.python().say("ready");
            if (setup.type() != SocketType.STREAM) {
                assertEquals("", Content.text(Content.take(connection.inbox().take(UnixMessage.class))));
            }
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            assertNull(message.pidFd());
            String own = "/proc/self/attr/current";
            try {
                assertNotEquals("", new String(Files.readAllBytes(Path.of(own))));
                assertNotNull(message.securityLabel());
            } catch (IOException noSecurityModule) {
                assertNull(message.securityLabel());
            }
            assertEquals("x", Content.text(Content.take(message)));
            connection.python().say("end");
            if (setup.type() != SocketType.DATAGRAM) {
                assertEquals(RecordingHandler.INACTIVE, connection.inbox().take());
            }
            connection.end();
        }
    }

    @EachType
    void labelsThatWereNotRequestedAreNotShown(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type)) {
            assertEquals(false, pair.receiver.config().getOption(UnixSocketOption.SO_PASSSEC));
            for (boolean on : new boolean[] {true, false, true, false}) {
                pair.with(UnixSocketOption.SO_PASSSEC, on);
                assertEquals(on, pair.receiver.config().getOption(UnixSocketOption.SO_PASSSEC));
            }
            pair.start();
            if (type != SocketType.STREAM) {
                pair.sender.writeAndFlush(type == SocketType.DATAGRAM ? new UnixMessage(Unpooled.EMPTY_BUFFER)
                        : Unpooled.EMPTY_BUFFER).sync();
                assertEquals("", pair.text());
            }
            pair.send("bytes").sync();
            Object message = pair.inbox.take();
            assertFalse(message instanceof UnixMessage);
            assertEquals("bytes", ChannelPair.text(message));
        }
    }

    @EachType
    void aCopyHasAPidFdOfItsOwn(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.SO_PASSPIDFD, true).start()) {
            pair.send("bytes").sync();
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            UnixMessage copy = message.copy();
            assertEquals(message.pidFd(), message.duplicate().pidFd());
            message.release();
            assertFalse(message.pidFd().isOpen());
            assertEquals(ProcessHandle.current().pid(), pidOf(copy.pidFd()));
            copy.release();
            assertFalse(copy.pidFd().isOpen());
        }
    }

    /** A limit of 0, with which messages are read one by one. */
    @EachType
    void whatHasPiledUpIsReadToItsEnd(SocketType type) throws Exception {
        int messages = 40;
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.SO_PASSPIDFD, true)
                .with(ChannelOption.AUTO_READ, false)
                .start()) {
            for (int i = 0; i < messages; i++) {
                pair.sender.write(ChannelPair.buffer("x"));
            }
            pair.sender.writeAndFlush(ChannelPair.buffer("y")).sync();
            pair.receiver.config().setAutoRead(true);
            StringBuilder text = new StringBuilder();
            while (text.length() <= messages) {
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                assertEquals(ProcessHandle.current().pid(), pidOf(message.pidFd()));
                text.append(ChannelPair.text(message));
            }
            assertEquals("x".repeat(messages) + "y", text.toString());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aPidFdIsNotSentOn(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.SO_PASSPIDFD, true)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            pair.send("bytes").sync();
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            pair.sender.writeAndFlush(message).sync();
            assertFalse(message.pidFd().isOpen());
            UnixMessage again = pair.inbox.take(UnixMessage.class);
            assertEquals(List.of(), again.fileDescriptors());
            again.release();
        }
    }

    @Test
    @Tag("once")
    void descriptorsAreAccountedFor() throws Exception {
        Descriptors before = Descriptors.now();
        try (ChannelPair pair = ChannelPair.of(SocketType.DATAGRAM).with(UnixSocketOption.SO_PASSPIDFD, true)
                .with(UnixSocketOption.MAX_MESSAGE_SIZE, 4).start()) {
            // Too long: dropped, with its descriptors.
            pair.send("12345").sync();
            pair.inbox.take(MessageTruncatedException.class);
            pair.send("1234").sync();
            pair.text();
        }
        before.assertUnchanged();
    }
}
