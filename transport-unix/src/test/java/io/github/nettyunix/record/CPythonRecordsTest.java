package io.github.nettyunix.record;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Meeting;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Way;
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
    /** For records that are just as long, and a byte longer. */
    private static final int LIMIT = 100_000;

    /** Empty ones come first, in between, one after the other, and last. */
    private static final int[] SIZES = {0, 1, 2048, 0, 65536, 0, 0, 200_000, 1, 0, 0};

    /** The record of a number: its bytes count up from there. */
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
        return Way.records().flatMap(way -> Stream.of(Arguments.of(way, false), Arguments.of(way, true)));
    }

    static Stream<Arguments> limitsInBothModes() {
        return recordsInBothModes().filter(arguments -> arguments.get()[0] instanceof Way way
                && way.isAbstract() == way.isServing());
    }

    static Stream<Arguments> connectionsInBothModes() {
        return recordsInBothModes().filter(arguments -> ((Way) arguments.get()[0]).type() == SocketType.SEQPACKET);
    }

    @ParameterizedTest
    @MethodSource("recordsInBothModes")
    void recordsArriveAsTheyWereSent(Way way, boolean controlData) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData)
                .start(RECORDS + """
                for number, size in enumerate(sizes):
                    send(sock, record(number, size), (), peer)
                wait_for_end()
                """, sizes())) {
            takeAll(meeting, controlData);
            meeting.end();
        }
        Proof.of("CPython", "records of 0 to 200000 bytes read, " + way + ", control data "
                + (controlData ? "on" : "off"));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("limitsInBothModes")
    void recordAboveTheLimitIsAnErrorAndTheNextOneArrives(Way way, boolean controlData) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData)
                .option(UnixSocketOption.MAX_MESSAGE_SIZE, LIMIT).start("""
                limit = int(sys.argv[1])
                for size in limit, limit + 1, 0, limit:
                    send(sock, bytes(size), (), peer)
                wait_for_end()
                """, LIMIT)) {
            assertEquals(LIMIT, meeting.take().length);
            MessageTruncatedException error = meeting.inbox().take(MessageTruncatedException.class);
            assertEquals(LIMIT + 1, error.messageSize());
            assertEquals(LIMIT, error.maxMessageSize());
            assertEquals(0, meeting.take().length);
            assertEquals(LIMIT, meeting.take().length);
            meeting.end();
        }
        Proof.of("CPython", "a record above MAX_MESSAGE_SIZE, " + way + ", control data "
                + (controlData ? "on" : "off"));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("limitsInBothModes")
    void recordAboveTheKernelsLimitFailsAndTheNextOneIsSent(Way way, boolean asMessages) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(ChannelOption.SO_SNDBUF, LIMIT).start("""
                for _ in range(3):
                    print(len(receive(sock)[0]))
                """)) {
            int most = meeting.channel().config().getOption(ChannelOption.SO_SNDBUF) - 32;
            List<ChannelFuture> writes = new ArrayList<>();
            for (int size : new int[] {most, most + 1, 0, 1}) {
                ByteBuf content = Unpooled.buffer(size).writeZero(size);
                writes.add(meeting.channel().write(asMessages ? meeting.message(content) : meeting.bytes(content)));
            }
            meeting.channel().flush();
            for (int size : new int[] {most, 0, 1}) {
                meeting.python().expect("" + size);
            }
            assertEquals("EMSGSIZE", ((UnixSocketError) Ends.failure(writes.remove(1))).errnoName());
            for (ChannelFuture write : writes) {
                write.sync();
            }
            meeting.end();
        }
        Proof.of("CPython", "a record above SO_SNDBUF, " + way + (asMessages ? ", messages" : ", buffers"));
    }

    private static void takeAll(Meeting meeting, boolean controlData) {
        for (int i = 0; i < SIZES.length; i++) {
            Object message = meeting.inbox().take(meeting.way().inbound(controlData));
            assertArrayEquals(record(i), Content.take(message), "record " + i);
        }
    }

    @ParameterizedTest
    @MethodSource("recordsInBothModes")
    void recordsAreSentAsTheyWereWritten(Way way, boolean asMessages) throws Exception {
        // With SO_PASSCRED a record has credentials, and the end of the stream has none.
        try (Meeting meeting = Meeting.in(way).start(RECORDS + """
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
                last = meeting.channel().write(asMessages ? meeting.message(content) : meeting.bytes(content));
            }
            meeting.channel().flush();
            last.sync();
            if (meeting.channel() instanceof DuplexChannel connection) {
                connection.shutdownOutput().sync();
                assertSame(ChannelOutputShutdownEvent.INSTANCE, meeting.inbox().take());
            }
            for (int i = 0; i < SIZES.length; i++) {
                CRC32 crc = new CRC32();
                crc.update(record(i));
                meeting.python().expect(SIZES[i] + " " + crc.getValue() + " True");
            }
            if (way.type() == SocketType.SEQPACKET) {
                meeting.python().expect("end");
            }
            meeting.end();
        }
        Proof.of("CPython", "records of 0 to 200000 bytes written, " + way + (asMessages ? ", messages" : ", buffers"));
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("connectionsInBothModes")
    void theEndComesAfterEmptyRecordsAndIsNotOneOfThem(Way way, boolean controlData) throws Exception {
        for (boolean halfClosure : new boolean[] {false, true}) {
            try (Meeting meeting = Meeting.in(way).option(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData)
                    .option(ChannelOption.ALLOW_HALF_CLOSURE, halfClosure).start(RECORDS + """
                    for number, size in enumerate(sizes):
                        send(sock, record(number, size))
                    sock.shutdown(socket.SHUT_WR)
                    print("peer", os.fsencode(sock.getpeername()).hex())
                    wait_for_end()
                    """, sizes())) {
                takeAll(meeting, controlData);
                if (halfClosure) {
                    assertSame(ChannelInputShutdownEvent.INSTANCE, meeting.inbox().take());
                    assertSame(ChannelInputShutdownReadComplete.INSTANCE, meeting.inbox().take());
                } else {
                    assertSame(Inbox.INACTIVE, meeting.inbox().take());
                }
                // What tells them apart is not seen from outside: who has not been bound has no name.
                byte[] name = way.isServing() ? meeting.server().bytes() : new byte[0];
                meeting.python().expect("peer " + HexFormat.of().formatHex(name));
                meeting.end();
            }
        }
        Proof.of("CPython", "end-of-stream after empty records, " + way + ", control data "
                + (controlData ? "on" : "off"));
    }
}
