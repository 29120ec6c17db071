package io.github.nettyunix.stream;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HexFormat;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

/** Bytes between this process and CPython's. */
class CPythonBytesTest {
    @Setup.Every
    void bytesTravelBothWays(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                send(sock, b"answer to " + sock.recv(100), (), peer)
                print(sock.recv(100).decode())
                """)) {
            connection.send(connection.bytes(Content.of("the first"))).sync();
            assertEquals("answer to the first", Content.text(connection.take()));
            connection.send(connection.bytes(Content.of("the end"))).sync();
            connection.python().expect("the end");
            connection.end();
        }
        Evidence.of("CPython", "bytes both ways, " + setup);
    }

    @Setup.Every
    void bothSeeEachOthersNames(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                def text(name):
                    return (name.encode(errors="surrogateescape") if isinstance(name, str) else name).hex() or "-"
                send(sock, b"x", (), peer)
                print(text(sock.getsockname()))
                print(text(sock.getpeername() if peer is None else sock.recvmsg(1)[3]))
                wait_for_end()
                """)) {
            boolean datagram = setup.type() == SocketType.DATAGRAM;
            connection.take();
            if (datagram && !setup.isServing()) {
                connection.send(Content.of("x")).sync();
            }
            var channel = connection.channel();
            assertEquals(setup.isServing() || datagram ? hex(own(connection)) : "-",
                    hex((UnixSocketAddress) channel.localAddress()));
            assertEquals(setup.isServing() ? datagram ? null : UnixSocketAddress.unnamed() : connection.server(),
                    channel.remoteAddress());
            connection.python().expect(hex(setup.isServing() ? connection.client() : connection.server()));
            connection.python().expect(hex(setup.isServing() ? connection.server() : connection.client()));
            connection.end();
        }
        Evidence.of("CPython", "the addresses of both ends, " + setup);
    }

    private static UnixSocketAddress own(PeerConnection connection) {
        return connection.setup().isServing() ? connection.server() : connection.client();
    }

    private static String hex(UnixSocketAddress address) {
        return address.isUnnamed() ? "-" : HexFormat.of().formatHex(address.bytes());
    }

    @OnlyWith(SocketType.SEQPACKET)
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anAbstractNameIsAnyBytes(boolean serving) throws Exception {
        byte[] name = new byte[107];
        new Random(serving ? 1 : 2).nextBytes(name);
        name[1] = 0;
        name[3] = (byte) 0xff;
        name[106] = 0;
        try (PeerConnection connection = PeerConnection.in(new Setup(SocketType.SEQPACKET, true, serving))
                .at(UnixSocketAddress.ofAbstract(name))
                .start("print(sock.recv(100).decode())")) {
            connection.send(Content.of("found")).sync();
            connection.python().expect("found");
            connection.end();
        }
        Evidence.of("CPython", "an abstract name of 107 arbitrary bytes, " + (serving ? "serving" : "connecting"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLongStreamArrivesWhole(boolean serving) throws Exception {
        byte[] sent = new byte[8 << 20];
        new Random(3).nextBytes(sent);
        // With control data and without.
        try (PeerConnection connection = PeerConnection.in(new Setup(SocketType.STREAM, false, serving))
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, serving).start("""
                while data := sock.recv(100000):
                    sock.sendall(data)
                """)) {
            ByteBuf rest = Unpooled.wrappedBuffer(sent);
            for (int size = 1; rest.isReadable(); size = size * 3 % 100_003) {
                connection.channel().write(rest.readRetainedSlice(Math.min(size, rest.readableBytes())));
            }
            connection.channel().flush();
            rest.release();
            ByteBuf received = Unpooled.buffer(sent.length);
            while (received.readableBytes() < sent.length) {
                received.writeBytes(connection.take());
            }
            assertArrayEquals(sent, Content.bytes(received));
            ((DuplexChannel) connection.channel()).shutdownOutput().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
            connection.end();
        }
        Evidence.of("CPython", "8 MiB of a stream there and back, " + (serving ? "serving" : "connecting"));
    }
}
