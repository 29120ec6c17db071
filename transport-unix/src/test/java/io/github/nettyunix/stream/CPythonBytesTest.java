package io.github.nettyunix.stream;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Meeting;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Way;
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
    @Way.Every
    void bytesTravelBothWays(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("""
                send(sock, b"answer to " + sock.recv(100), (), peer)
                print(sock.recv(100).decode())
                """)) {
            meeting.send(meeting.bytes(Content.of("the first"))).sync();
            assertEquals("answer to the first", Content.text(meeting.take()));
            meeting.send(meeting.bytes(Content.of("the end"))).sync();
            meeting.python().expect("the end");
            meeting.end();
        }
        Proof.of("CPython", "bytes both ways, " + way);
    }

    @Way.Every
    void bothSeeEachOthersNames(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("""
                def text(name):
                    return (name.encode(errors="surrogateescape") if isinstance(name, str) else name).hex() or "-"
                send(sock, b"x", (), peer)
                print(text(sock.getsockname()))
                print(text(sock.getpeername() if peer is None else sock.recvmsg(1)[3]))
                wait_for_end()
                """)) {
            boolean datagram = way.type() == SocketType.DATAGRAM;
            meeting.take();
            if (datagram && !way.isServing()) {
                meeting.send(Content.of("x")).sync();
            }
            var channel = meeting.channel();
            assertEquals(way.isServing() || datagram ? hex(own(meeting)) : "-",
                    hex((UnixSocketAddress) channel.localAddress()));
            assertEquals(way.isServing() ? datagram ? null : UnixSocketAddress.unnamed() : meeting.server(),
                    channel.remoteAddress());
            meeting.python().expect(hex(way.isServing() ? meeting.client() : meeting.server()));
            meeting.python().expect(hex(way.isServing() ? meeting.server() : meeting.client()));
            meeting.end();
        }
        Proof.of("CPython", "the addresses of both ends, " + way);
    }

    private static UnixSocketAddress own(Meeting meeting) {
        return meeting.way().isServing() ? meeting.server() : meeting.client();
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
        try (Meeting meeting = Meeting.in(new Way(SocketType.SEQPACKET, true, serving))
                .at(UnixSocketAddress.ofAbstract(name))
                .start("print(sock.recv(100).decode())")) {
            meeting.send(Content.of("found")).sync();
            meeting.python().expect("found");
            meeting.end();
        }
        Proof.of("CPython", "an abstract name of 107 arbitrary bytes, " + (serving ? "serving" : "connecting"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLongStreamArrivesWhole(boolean serving) throws Exception {
        byte[] sent = new byte[8 << 20];
        new Random(3).nextBytes(sent);
        // Once with control data and once without.
        try (Meeting meeting = Meeting.in(new Way(SocketType.STREAM, false, serving))
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, serving).start("""
                while data := sock.recv(100000):
                    sock.sendall(data)
                """)) {
            ByteBuf rest = Unpooled.wrappedBuffer(sent);
            for (int size = 1; rest.isReadable(); size = size * 3 % 100_003) {
                meeting.channel().write(rest.readRetainedSlice(Math.min(size, rest.readableBytes())));
            }
            meeting.channel().flush();
            rest.release();
            ByteBuf received = Unpooled.buffer(sent.length);
            while (received.readableBytes() < sent.length) {
                received.writeBytes(meeting.take());
            }
            assertArrayEquals(sent, Content.bytes(received));
            ((DuplexChannel) meeting.channel()).shutdownOutput().sync();
            assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            assertSame(Inbox.INACTIVE, meeting.inbox().take());
            meeting.end();
        }
        Proof.of("CPython", "8 MiB of a stream there and back, " + (serving ? "serving" : "connecting"));
    }
}
