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
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Meeting;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Way;
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
class CPythonIdentityTest {
    /** The process that a pidfd is of; -1 if it has ended. */
    private static long pidOf(UnixFileDescriptor pidFd) throws IOException {
        assertTrue(Content.isCloseOnExec(pidFd));
        return Files.readAllLines(Path.of("/proc/self/fdinfo/" + pidFd.intValue())).stream()
                .filter(line -> line.startsWith("Pid:")).mapToLong(line -> Long.parseLong(line.substring(4).trim()))
                .findFirst().orElseThrow(() -> new AssertionError("no pidfd"));
    }

    private static void assertErrno(String name, Throwable error) {
        assertEquals(name, assertInstanceOf(UnixSocketError.class, error).errnoName(), error.toString());
    }

    @Way.Connections
    void thePeersPidFdIsOfItsProcess(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("wait_for_end()")) {
            UnixFileDescriptor pidFd = ((UnixPeer) meeting.channel()).peerPidFd();
            assertEquals(meeting.python().pid(), pidOf(pidFd));
            pidFd.release();
            meeting.end();
        }
        Proof.of("CPython", "peerPidFd(), " + way);
    }

    static Stream<Way> serving() {
        return Way.connections().filter(Way::isServing);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("serving")
    void aPeerThatHasGoneIsNotAnOldKernel(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.AUTO_READ, false)
                .start("send(sock, b'last words')")) {
            meeting.python().succeed();
            UnixPeer peer = (UnixPeer) meeting.channel();
            assertEquals(meeting.python().pid(), peer.peerCredentials().pid());
            try (UnixFileDescriptor pidFd = peer.peerPidFd()) {
                assertEquals(-1, pidOf(pidFd));
            } catch (IOException beforeLinux616) {
                assertErrno("ESRCH", beforeLinux616);
                assertTrue(beforeLinux616.getMessage().endsWith(
                        "the peer's process has ended, and only Linux 6.16 and later still "
                        + "has a descriptor of it"), beforeLinux616.getMessage());
            }
            meeting.channel().read();
            assertEquals("last words", Content.text(meeting.take()));
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
        Proof.of("CPython", "the pidfd of a peer that has gone, " + way);
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
    void whoHasNoPeerIsNotConnected(SocketType type) {
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
        try (Ends ends = Ends.started(type); UnixFileDescriptor pidFd = ((UnixPeer) ends.sender).peerPidFd()) {
            assertEquals(ProcessHandle.current().pid(), pidOf(pidFd));
        }
    }

    @Way.Connections
    void thePeersLabelIsWhatItsSecurityModuleSays(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("""
                try:
                    print(sock.getsockopt(socket.SOL_SOCKET, SO_PEERSEC, 4096).rstrip(b"\\0").decode() and
                          open("/proc/self/attr/current").read().strip().rstrip("\\0"))
                except OSError:
                    print("unknown")
                wait_for_end()
                """)) {
            String label = meeting.python().line();
            UnixPeer peer = (UnixPeer) meeting.channel();
            if (label.equals("unknown")) {
                assertEquals("SO_PEERSEC " + way.type()
                        + ": it needs Linux 2.6.2 or later and a security module that labels "
                        + "sockets", assertThrows(UnsupportedOperationException.class, peer::peerSecurityLabel)
                        .getMessage());
            } else {
                assertEquals(label, peer.peerSecurityLabel());
            }
            meeting.end();
        }
        Proof.of("CPython", "peerSecurityLabel(), " + way);
    }

    /**
     * Sent before the server accepts, with the most descriptors: they come before the pidfd, and nobody asked for them.
     */
    @Way.Every
    void theFirstMessageHasItsSendersPidFdAndNoDescriptors(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).firstOption(UnixSocketOption.SO_PASSPIDFD, true).start("""
                for _ in range(3):
                    send(sock, b"x", [labelled("unwanted")] * 253, peer)
                wait_for_end()
                """)) {
            for (int length = 0; length < 3;) {
                UnixMessage message = meeting.inbox().take(UnixMessage.class);
                assertEquals(List.of(), message.fileDescriptors());
                assertNull(message.credentials());
                UnixFileDescriptor pidFd = message.pidFd();
                assertEquals(meeting.python().pid(), pidOf(pidFd));
                length += Content.take(message).length;
                assertFalse(pidFd.isOpen());
            }
            meeting.end();
        }
        Proof.of("CPython", "the pidfd of the sender of the first message, and none of its 253 descriptors, " + way);
    }

    @Way.Every
    void allControlDataComesInOneMessage(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).firstOption(UnixSocketOption.SO_PASSCRED, true)
                .firstOption(UnixSocketOption.SO_PASSPIDFD, true).firstOption(UnixSocketOption.SO_PASSSEC, true)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start("""
                input()
                send(sock, b"most", [labelled("same")] * 253, peer)
                send(sock, b"one", [labelled("one")], peer)
                send(sock, b"none", [], peer)
                wait_for_end()
                """)) {
            meeting.python().say("ready");
            assertAll(meeting, "most", 253);
            assertAll(meeting, "one", 1);
            assertAll(meeting, "none", 0);
            meeting.end();
        }
        Proof.of("CPython", "credentials, a pidfd and 253 descriptors in one message, " + way);
    }

    private static void assertAll(Meeting meeting, String text, int fds) throws IOException {
        UnixMessage message = meeting.inbox().take(UnixMessage.class);
        assertEquals(meeting.python().pid(), message.credentials().pid());
        assertEquals(meeting.python().pid(), pidOf(message.pidFd()));
        assertEquals(fds, message.fileDescriptors().size());
        assertEquals(text, Content.text(Content.take(message)));
    }

    @Way.Few
    void moreDescriptorsThanAllowedTakeThePidFdWithThem(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).firstOption(UnixSocketOption.SO_PASSPIDFD, true)
                .option(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 2).start("""
                input()
                send(sock, b"x", [labelled("x")] * 3, peer)
                wait_for_end()
                """)) {
            meeting.python().say("ready");
            meeting.inbox().take(ControlDataTruncatedException.class);
            meeting.end();
        }
    }

    @Way.Few
    void sendersOfDescriptorsAreRefused(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("""
                input()
                try:
                    send(sock, b"with", [labelled("x")], peer)
                    print("sent")
                except OSError as e:
                    print(errno.errorcode[e.errno])
                send(sock, b"without", [], peer)
                wait_for_end()
                """)) {
            Channel channel = meeting.channel();
            assertEquals(true, channel.config().getOption(UnixSocketOption.SO_PASSRIGHTS));
            boolean refused = true;
            try {
                assertTrue(channel.config().setOption(UnixSocketOption.SO_PASSRIGHTS, false));
                assertEquals(false, channel.config().getOption(UnixSocketOption.SO_PASSRIGHTS));
            } catch (UnsupportedOperationException e) {
                assertEquals("SO_PASSRIGHTS " + way.type() + ": it needs Linux 6.16 or later", e.getMessage());
                refused = false;
            }
            meeting.python().say("ready");
            meeting.python().expect(refused ? "EPERM" : "sent");
            assertEquals(refused ? "without" : "with", Content.text(meeting.take()).substring(0, refused ? 7 : 4));
            meeting.inbox().release();
            meeting.end();
        }
        Proof.of("CPython", "SO_PASSRIGHTS, " + way);
    }

    @Way.Every
    void emptyRecordsAndTheEndAreToldApartWithLabelsToo(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).firstOption(UnixSocketOption.SO_PASSSEC, true).start("""
                input()
                if sock.type != socket.SOCK_STREAM:
                    send(sock, b"", [], peer)
                send(sock, b"x", [], peer)
                input()
                """)) {
            assertEquals(true, meeting.channel().config().getOption(UnixSocketOption.SO_PASSSEC));
            meeting.python().say("ready");
            if (way.type() != SocketType.STREAM) {
                assertEquals("", Content.text(Content.take(meeting.inbox().take(UnixMessage.class))));
            }
            UnixMessage message = meeting.inbox().take(UnixMessage.class);
            assertNull(message.pidFd());
            String own = "/proc/self/attr/current";
            try {
                assertNotEquals("", new String(Files.readAllBytes(Path.of(own))));
                assertNotNull(message.securityLabel());
            } catch (IOException noSecurityModule) {
                assertNull(message.securityLabel());
            }
            assertEquals("x", Content.text(Content.take(message)));
            meeting.python().say("end");
            if (way.type() != SocketType.DATAGRAM) {
                assertEquals(Inbox.INACTIVE, meeting.inbox().take());
            }
            meeting.end();
        }
    }

    @EachType
    void labelsThatNobodyAskedForAreNotShown(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type)) {
            assertEquals(false, ends.receiver.config().getOption(UnixSocketOption.SO_PASSSEC));
            for (boolean on : new boolean[] {true, false, true, false}) {
                ends.with(UnixSocketOption.SO_PASSSEC, on);
                assertEquals(on, ends.receiver.config().getOption(UnixSocketOption.SO_PASSSEC));
            }
            ends.start();
            if (type != SocketType.STREAM) {
                ends.sender.writeAndFlush(type == SocketType.DATAGRAM ? new UnixMessage(Unpooled.EMPTY_BUFFER)
                        : Unpooled.EMPTY_BUFFER).sync();
                assertEquals("", ends.text());
            }
            ends.send("bytes").sync();
            Object message = ends.inbox.take();
            assertFalse(message instanceof UnixMessage);
            assertEquals("bytes", Ends.text(message));
        }
    }

    @EachType
    void aCopyHasAPidFdOfItsOwn(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(UnixSocketOption.SO_PASSPIDFD, true).start()) {
            ends.send("bytes").sync();
            UnixMessage message = ends.inbox.take(UnixMessage.class);
            UnixMessage copy = message.copy();
            assertEquals(message.pidFd(), message.duplicate().pidFd());
            message.release();
            assertFalse(message.pidFd().isOpen());
            assertEquals(ProcessHandle.current().pid(), pidOf(copy.pidFd()));
            copy.release();
            assertFalse(copy.pidFd().isOpen());
        }
    }

    /** Where a limit of 0 has them read one by one. */
    @EachType
    void whatHasPiledUpIsReadToItsEnd(SocketType type) throws Exception {
        int messages = 40;
        try (Ends ends = Ends.of(type).with(UnixSocketOption.SO_PASSPIDFD, true).with(ChannelOption.AUTO_READ, false)
                .start()) {
            for (int i = 0; i < messages; i++) {
                ends.sender.write(Ends.buffer("x"));
            }
            ends.sender.writeAndFlush(Ends.buffer("y")).sync();
            ends.receiver.config().setAutoRead(true);
            StringBuilder text = new StringBuilder();
            while (text.length() <= messages) {
                UnixMessage message = ends.inbox.take(UnixMessage.class);
                assertEquals(ProcessHandle.current().pid(), pidOf(message.pidFd()));
                text.append(Ends.text(message));
            }
            assertEquals("x".repeat(messages) + "y", text.toString());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aPidFdIsNotSentOn(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(UnixSocketOption.SO_PASSPIDFD, true)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            ends.send("bytes").sync();
            UnixMessage message = ends.inbox.take(UnixMessage.class);
            ends.sender.writeAndFlush(message).sync();
            assertFalse(message.pidFd().isOpen());
            UnixMessage again = ends.inbox.take(UnixMessage.class);
            assertEquals(List.of(), again.fileDescriptors());
            again.release();
        }
    }

    @Test
    @Tag("once")
    void descriptorsAreAccountedFor() throws Exception {
        Descriptors before = Descriptors.now();
        try (Ends ends = Ends.of(SocketType.DATAGRAM).with(UnixSocketOption.SO_PASSPIDFD, true)
                .with(UnixSocketOption.MAX_MESSAGE_SIZE, 4).start()) {
            // Too long, dropped with what it had.
            ends.send("12345").sync();
            ends.inbox.take(MessageTruncatedException.class);
            ends.send("1234").sync();
            ends.text();
        }
        before.assertUnchanged();
    }
}
