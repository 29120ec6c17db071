package io.github.nettyunix.datagram;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AddressedEnvelope;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Who sent a datagram, and how to answer. */
@Tag("user")
@OnlyWith(SocketType.DATAGRAM)
class CPythonDatagramTest {
    static Stream<Arguments> serversInBothModes() {
        return Setup.all().filter(Setup::isUnconnected)
                .flatMap(setup -> Stream.of(Arguments.of(setup, false), Arguments.of(setup, true)));
    }

    private static AddressedEnvelope<?, ?> take(PeerConnection connection, boolean controlData) {
        return (AddressedEnvelope<?, ?>) connection.inbox().take(connection.setup().inbound(controlData));
    }

    @ParameterizedTest
    @MethodSource("serversInBothModes")
    void aSenderWithANameIsAnswered(Setup setup, boolean controlData) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData).start("""
                send(sock, b"question")
                print(sock.recv(100).decode())
                """)) {
            AddressedEnvelope<?, ?> packet = take(connection, controlData);
            assertEquals(connection.client(), packet.sender());
            assertEquals(connection.server(), packet.recipient());
            packet.release();
            ByteBuf answer = Content.of("answer");
            connection.send(controlData ? new UnixDatagramPacket(answer, (UnixSocketAddress) packet.sender())
                    : new DomainDatagramPacket(answer, (DomainSocketAddress) packet.sender())).sync();
            connection.python().expect("answer");
            connection.end();
        }
        Evidence.of("CPython", "a datagram is answered, " + setup + ", control data " + (controlData ? "on" : "off"));
    }

    @ParameterizedTest
    @MethodSource("serversInBothModes")
    void aSenderWithoutANameIsUnnamedAndCannotBeAnswered(Setup setup, boolean controlData) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData).start("""
                nameless = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                send(nameless, b"question", [], sock.getpeername())
                print(sock.recv(100).decode())
                """)) {
            AddressedEnvelope<?, ?> packet = take(connection, controlData);
            assertSame(UnixSocketAddress.unnamed(), packet.sender());
            packet.release();
            Throwable cause = connection.send(new UnixDatagramPacket(Content.of("answer"), UnixSocketAddress.unnamed()))
                    .await().cause();
            assertEquals("EINVAL", assertInstanceOf(UnixSocketError.class, cause).errnoName());
            connection.send(connection.bytes(Content.of("to somebody else"))).sync();
            connection.python().expect("to somebody else");
            connection.end();
        }
        Evidence.of("CPython", "a datagram without a sender's name, " + setup + ", control data "
                + (controlData ? "on" : "off"));
    }

    /** Many arrive in one system call. */
    @ParameterizedTest
    @MethodSource("serversInBothModes")
    void everyDatagramHasItsOwnSender(Setup setup, boolean controlData) throws Exception {
        int rounds = 50;
        try (PeerConnection connection = PeerConnection.in(setup)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData).start("""
                server = sock.getpeername()
                others = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(4)]
                others[0].bind("")
                # As long as the other one that the kernel has chosen.
                others[3].bind("")
                others[1].bind(b"\\0" + bytes([0, 255, os.getpid() & 255, os.getpid() >> 8 & 255]))
                senders = [sock, *others]
                print(*[s.getsockname().hex() if isinstance(s.getsockname(), bytes) else
                        s.getsockname().encode().hex() or "-" for s in senders])
                order = [0, 1, 1, 4, 1, 2, 3, 2, 4, 0, 3]
                for i in range(int(sys.argv[1])):
                    for j in order:
                        s = senders[j]
                        send(s, str(j).encode(), [], None if s is sock else server)
                wait_for_end()
                """, rounds)) {
            List<UnixSocketAddress> senders = Stream.of(connection.python().line().split(" "))
                    .map(hex -> UnixSocketAddress.ofBytes(HexFormat.of().parseHex(hex.replace("-", "")))).toList();
            assertTrue(senders.get(0).equals(connection.client()) && senders.get(1).isAbstract()
                    && senders.get(3).isUnnamed());
            int[] order = {0, 1, 1, 4, 1, 2, 3, 2, 4, 0, 3};
            for (int i = 0; i < rounds * order.length; i++) {
                AddressedEnvelope<?, ?> packet = take(connection, controlData);
                assertEquals(senders.get(order[i % order.length]), packet.sender());
                assertEquals("" + order[i % order.length], Content.text(Content.take(packet)));
            }
            connection.end();
        }
        Evidence.of("CPython", "datagrams of several senders in turn, " + setup + ", control data "
                + (controlData ? "on" : "off"));
    }
}
