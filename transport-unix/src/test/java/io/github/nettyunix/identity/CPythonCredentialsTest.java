package io.github.nettyunix.identity;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Setup;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** CPython's process and this one identify each other by credentials. */
@Tag("library")
@Tag("user")
class CPythonCredentialsTest {
    private static final int OWN_PID = (int) ProcessHandle.current().pid();

    private static UnixCredentials credentialsOf(String line) {
        int[] numbers = Arrays.stream(line.split(" ")).mapToInt(Integer::parseInt).toArray();
        return new UnixCredentials(numbers[0], numbers[1], numbers[2]);
    }

    private static UnixCredentials own() throws IOException {
        Path self = Path.of("/proc/self");
        return new UnixCredentials(OWN_PID, (Integer) Files.getAttribute(self, "unix:uid"),
                (Integer) Files.getAttribute(self, "unix:gid"));
    }

    /** Sent before the server accepts, with a descriptor that is discarded because nobody asked for descriptors. */
    @Setup.Every
    void theFirstMessageHasItsSendersCredentials(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).firstOption(UnixSocketOption.SO_PASSCRED, true)
                .start("""
                for _ in range(2):
                    send(sock, b"x", [labelled("unwanted")], peer)
                print(os.getpid(), os.getuid(), os.getgid())
                wait_for_end()
                """)) {
            UnixCredentials expected = credentialsOf(connection.python().line());
            assertEquals(connection.python().pid(), expected.pid());
            // A stream may merge messages of the same sender.
            for (int length = 0; length < 2;) {
                UnixMessage message = connection.inbox().take(UnixMessage.class);
                assertEquals(expected, message.credentials());
                assertEquals(List.of(), message.fileDescriptors());
                length += Content.take(message).length;
            }
            connection.end();
        }
        Evidence.of("CPython", "the credentials of the sender of the first message, " + setup);
    }

    static Stream<Setup> serving() {
        return Setup.connections().filter(Setup::isServing);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("serving")
    void asAChildOptionCredentialsHoldFromTheAcceptOn(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.SO_PASSCRED, true).start("""
                input()
                send(sock, b"x")
                wait_for_end()
                """)) {
            connection.python().say("accepted");
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            assertEquals(connection.python().pid(), message.credentials().pid());
            message.release();
            connection.end();
        }
        Evidence.of("CPython", "credentials asked for by a child option, " + setup);
    }

    @Setup.Every
    void credentialsComeWithTheMostDescriptors(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(UnixSocketOption.SO_PASSCRED, true).start("""
                input()
                send(sock, b"x", [labelled("same")] * 253, peer)
                wait_for_end()
                """)) {
            connection.python().say("ready");
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            assertEquals(connection.python().pid(), message.credentials().pid());
            assertEquals(253, message.fileDescriptors().size());
            assertEquals("same", Content.label(message.fileDescriptors().get(252)));
            message.release();
            connection.end();
        }
        Evidence.of("CPython", "credentials and 253 descriptors in one message, " + setup);
    }

    @Setup.Every
    void controlMessagesComeInAnyOrderAndNumber(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(UnixSocketOption.SO_PASSCRED, true).start("""
                def rights(*texts):
                    return socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [labelled(text) for text in texts])
                me = os.getpid(), os.getuid(), os.getgid()
                who = socket.SOL_SOCKET, SCM_CREDENTIALS, struct.pack("iII", *me)
                input()
                print(*me)
                for control in ([rights("a", "b"), who], [who, rights("a", "b")], [rights("a"), who, rights("b")],
                                [who, rights("a"), rights("b")], [who, rights("a"), who, rights("b")]):
                    sock.sendmsg([b"x"], control, 0, *([peer] if peer is not None else []))
                wait_for_end()
                """)) {
            connection.python().say("ready");
            UnixCredentials expected = credentialsOf(connection.python().line());
            for (int i = 0; i < 5; i++) {
                UnixMessage message = connection.inbox().take(UnixMessage.class);
                assertEquals(expected, message.credentials());
                assertEquals(2, message.fileDescriptors().size());
                assertEquals("a", Content.label(message.fileDescriptors().get(0)));
                assertEquals("b", Content.label(message.fileDescriptors().get(1)));
                assertEquals("x", Content.text(Content.take(message)));
            }
            connection.end();
        }
        Evidence.of("CPython", "descriptors and credentials in any order and number of control messages, " + setup);
    }

    @Setup.Every
    void withoutSoPassCredMessagesHaveNoCredentials(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                send(sock, b"x", [], peer)
                wait_for_end()
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            assertNull(message.credentials());
            message.release();
            connection.end();
        }
        Evidence.of("CPython", "no credentials without SO_PASSCRED, " + setup);
    }

    @Setup.Every
    void explicitCredentialsReachThePeer(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                sock.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
                print("ready")
                for _ in range(2):
                    message = receive_message(sock)
                    print(message.data.decode(), message.credentials, [label(fd) for fd in message.fds])
                """)) {
            connection.python().expect("ready");
            UnixCredentials own = own();
            // A process that may do so claims to be another one.
            UnixCredentials claimed = own.uid() == 0 ? new UnixCredentials((int) connection.python().pid(), 12, 34)
                    : own;
            connection.send(connection.message(Content.of("explicit"), Content.labelled("file"))
                    .withCredentials(claimed))
                    .sync();
            connection.send(connection.message(Content.of("implicit"))).sync();
            connection.python().expect("explicit " + text(claimed) + " ['file']");
            connection.python().expect("implicit " + text(own) + " []");
            connection.end();
        }
        Evidence.of("CPython", "explicit credentials reach the peer, " + setup);
    }

    private static String text(UnixCredentials credentials) {
        return "(%d, %d, %d)".formatted(credentials.pid(), credentials.uid(), credentials.gid());
    }

    @Setup.Every
    void credentialsThatTheKernelRefusesFailOneRecordAndEndAStream(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                for _ in range(2):
                    print(receive(sock)[0].decode())
                """)) {
            UnixCredentials own = own();
            UnixCredentials nobody = new UnixCredentials(Integer.MAX_VALUE, own.uid(), own.gid());
            UnixFileDescriptor fd = Content.labelled("not sent");
            connection.send(connection.bytes(Content.of("before"))).sync();
            connection.python().expect("before");
            Throwable cause = connection.send(connection.message(Content.of("x"), fd).withCredentials(nobody)).await()
                    .cause();
            assertInstanceOf(UnixSocketError.class, cause);
            assertTrue(List.of("ESRCH", "EPERM").contains(((UnixSocketError) cause).errnoName()), cause.toString());
            assertTrue(!fd.isOpen());
            if (setup.type() == SocketType.STREAM) {
                // Nothing may take the place of the missing message.
                assertNotNull(connection.send(connection.bytes(Content.of("after"))).await().cause());
                assertInstanceOf(ChannelOutputShutdownEvent.class, connection.inbox().take());
                connection.python().expect("");
            } else {
                connection.send(connection.bytes(Content.of("after"))).sync();
                connection.python().expect("after");
            }
            connection.end();
        }
        Evidence.of("CPython", "refused credentials fail one record, and end a stream, " + setup);
    }

    @Setup.Connections
    void bothEndsKnowTheirPeer(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                print(os.getpid(), os.getuid(), os.getgid())
                print(sorted(os.getgroups()))
                print(struct.unpack("iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))
                wait_for_end()
                """)) {
            UnixCredentials peer = ((UnixPeer) connection.channel()).peerCredentials();
            assertEquals(credentialsOf(connection.python().line()),
                    new UnixCredentials(peer.pid(), peer.uid(), peer.gid()));
            connection.python().expect(peer.groups().stream().sorted().toList().toString());
            connection.python().expect(text(own()));
            connection.end();
        }
        Evidence.of("CPython", "peerCredentials() of both ends, " + setup);
    }
}
