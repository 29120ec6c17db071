package io.github.nettyunix.record;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

/** Records between this process and CPython's keep their boundaries, and empty ones are records too. */
class CPythonRecordsTest {
    /** Two sizes: the longest record that fits, and one byte more. */
    private static final int LIMIT = 100_000;

    /** Empty records come first, in between, in a row, and last. */
    private static final int[] SIZES = {0, 1, 2048, 0, 65536, 0, 0, 200_000, 1, 0, 0};

    /** Returns the record with this number: its bytes count up from the number. */
    private static final String RECORDS = """
            def record(number, size):
                return (bytes(range(256)) * (size // 256 + 2))[number:number + size]
            sizes = [int(size) for size in sys.argv[1].split()]
            """;

    private static byte[] record(int number) {
        byte[] bytes = new byte[SIZES[number]];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (number + i);
        }
        return bytes;
    }

    private static String sizes() {
        return Arrays.stream(SIZES).mapToObj(String::valueOf).collect(Collectors.joining(" "));
    }

    static Stream<Arguments> recordsInBothModes() {
        return Setup.records().flatMap(setup -> Stream.of(Arguments.of(setup, false), Arguments.of(setup, true)));
    }

    static Stream<Arguments> limitsInBothModes() {
        return recordsInBothModes().filter(arguments -> arguments.get()[0] instanceof Setup setup
                && setup.isAbstract() == setup.isServing());
    }

    static Stream<Arguments> connectionsInBothModes() {
        return recordsInBothModes().filter(arguments -> ((Setup) arguments.get()[0]).type() == SocketType.SEQPACKET);
    }

    @ParameterizedTest
    @MethodSource("recordsInBothModes")
    void recordsArriveAsTheyWereSent(Setup setup, boolean controlData) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData)
                .start(RECORDS + """
                for number, size in enumerate(sizes):
                    send(sock, record(number, size), (), peer)
                wait_for_end()
                """, sizes())) {
            takeAll(connection, controlData);
            connection.end();
        }
        Evidence.of("CPython", "records of 0 to 200000 bytes read, " + setup + ", control data "
                + (controlData ? "on" : "off"));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("limitsInBothModes")
    void recordAboveTheLimitIsAnErrorAndTheNextOneArrives(Setup setup, boolean controlData) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData)
                .option(UnixSocketOption.MAX_MESSAGE_SIZE, LIMIT).start("""
                limit = int(sys.argv[1])
                for size in limit, limit + 1, 0, limit:
                    send(sock, bytes(size), (), peer)
                wait_for_end()
                """, LIMIT)) {
            assertEquals(LIMIT, connection.take().length);
            MessageTruncatedException error = connection.inbox().take(MessageTruncatedException.class);
            assertEquals(LIMIT + 1, error.messageSize());
            assertEquals(LIMIT, error.maxMessageSize());
            assertEquals(0, connection.take().length);
            assertEquals(LIMIT, connection.take().length);
            connection.end();
        }
        Evidence.of("CPython", "a record above MAX_MESSAGE_SIZE, " + setup + ", control data "
                + (controlData ? "on" : "off"));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("limitsInBothModes")
    void recordAboveTheKernelsLimitFailsAndTheNextOneIsSent(Setup setup, boolean asMessages) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(ChannelOption.SO_SNDBUF, LIMIT).start("""
                for _ in range(3):
                    print(len(receive(sock)[0]))
                """)) {
            int most = connection.channel().config().getOption(ChannelOption.SO_SNDBUF) - 32;
            List<ChannelFuture> writes = new ArrayList<>();
            for (int size : new int[] {most, most + 1, 0, 1}) {
                ByteBuf content = Unpooled.buffer(size).writeZero(size);
                writes.add(connection.channel()
                        .write(asMessages ? connection.message(content) : connection.bytes(content)));
            }
            connection.channel().flush();
            for (int size : new int[] {most, 0, 1}) {
                connection.python().expect("" + size);
            }
            assertEquals("EMSGSIZE", ((UnixSocketError) ChannelPair.failure(writes.remove(1))).errnoName());
            for (ChannelFuture write : writes) {
                write.sync();
            }
            connection.end();
        }
        Evidence.of("CPython", "a record above SO_SNDBUF, " + setup + (asMessages ? ", messages" : ", buffers"));
    }

    private static void takeAll(PeerConnection connection, boolean controlData) {
        for (int i = 0; i < SIZES.length; i++) {
            Object message = connection.inbox().take(connection.setup().inbound(controlData));
            assertArrayEquals(record(i), Content.take(message), "record " + i);
        }
    }

    @ParameterizedTest
    @MethodSource("recordsInBothModes")
    void recordsAreSentAsTheyWereWritten(Setup setup, boolean asMessages) throws Exception {
        // With SO_PASSCRED a record has credentials, and the end of the stream has none.
        try (PeerConnection connection = PeerConnection.in(setup).start(RECORDS + """
                sock.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
                for _ in sizes:
                    message = receive_message(sock)
                    print(len(message.data), zlib.crc32(message.data), message.credentials is not None)
                if sock.type == socket.SOCK_SEQPACKET:
                    message = receive_message(sock)
                    print("end" if message.data == b"" and message.credentials is None else message)
                """, sizes())) {
            ChannelFuture last = null;
            for (int i = 0; i < SIZES.length; i++) {
                ByteBuf content = Unpooled.wrappedBuffer(record(i));
                last = connection.channel().write(asMessages ? connection.message(content) : connection.bytes(content));
            }
            connection.channel().flush();
            last.sync();
            if (connection.channel() instanceof DuplexChannel duplex) {
                duplex.shutdownOutput().sync();
                assertSame(ChannelOutputShutdownEvent.INSTANCE, connection.inbox().take());
            }
            for (int i = 0; i < SIZES.length; i++) {
                CRC32 crc = new CRC32();
                crc.update(record(i));
                connection.python().expect(SIZES[i] + " " + crc.getValue() + " True");
            }
            if (setup.type() == SocketType.SEQPACKET) {
                connection.python().expect("end");
            }
            connection.end();
        }
        Evidence.of("CPython", "records of 0 to 200000 bytes written, " + setup
                + (asMessages ? ", messages" : ", buffers"));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("connectionsInBothModes")
    void theEndOfTheStreamFollowsEmptyRecordsAndIsNotOneOfThem(Setup setup, boolean controlData) throws Exception {
        for (boolean halfClosure : new boolean[] {false, true}) {
            try (PeerConnection connection = PeerConnection.in(setup)
                    .option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData)
                    .option(ChannelOption.ALLOW_HALF_CLOSURE, halfClosure).start(RECORDS + """
                    for number, size in enumerate(sizes):
                        send(sock, record(number, size))
                    sock.shutdown(socket.SHUT_WR)
                    print("peer", os.fsencode(sock.getpeername()).hex())
                    wait_for_end()
                    """, sizes())) {
                takeAll(connection, controlData);
                if (halfClosure) {
                    assertSame(ChannelInputShutdownEvent.INSTANCE, connection.inbox().take());
                    assertSame(ChannelInputShutdownReadComplete.INSTANCE, connection.inbox().take());
                } else {
                    assertSame(RecordingHandler.INACTIVE, connection.inbox().take());
                }
                // The mark that tells them apart is invisible from outside: a socket that was not bound has no name.
                byte[] name = setup.isServing() ? connection.server().bytes() : new byte[0];
                connection.python().expect("peer " + HexFormat.of().formatHex(name));
                connection.end();
            }
        }
        Evidence.of("CPython", "end-of-stream after empty records, " + setup + ", control data "
                + (controlData ? "on" : "off"));
    }
}
