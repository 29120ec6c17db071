package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Setup;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.unix.FileDescriptor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Descriptors between this process and CPython's, each identified by the text that can be read from it. */
@Tag("library")
@Tag("user")
class CPythonDescriptorsTest {
    private static final int[] COUNTS = {1, 16, 253};

    /** On a stream descriptors need a byte to travel with. */
    private static List<String> contents(Setup setup) {
        return setup.type() == SocketType.STREAM ? List.of("bytes") : List.of("bytes", "");
    }

    private static List<String> labels(int count, String content) {
        return IntStream.range(0, count).mapToObj(i -> i + " of " + count + " with " + content).toList();
    }

    private static UnixFileDescriptor[] labelled(List<String> labels) throws Exception {
        UnixFileDescriptor[] fds = new UnixFileDescriptor[labels.size()];
        for (int i = 0; i < fds.length; i++) {
            fds[i] = Content.labelled(labels.get(i));
        }
        return fds;
    }

    @Setup.Every
    void descriptorsArriveInOrderAndCloseOnExec(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                for line in sys.stdin:
                    count, *content = line.split()
                    content = "".join(content)
                    fds = [labelled(f"{i} of {count} with {content}") for i in range(int(count))]
                    send(sock, content.encode(), fds, peer)
                    close_all(fds)
                """)) {
            for (int count : COUNTS) {
                for (String content : contents(setup)) {
                    connection.python().say(count + " " + content);
                    UnixMessage message = connection.inbox().take(UnixMessage.class);
                    assertEquals(content, Content.text(Content.bytes(message.content())));
                    List<String> labels = labels(count, content);
                    assertEquals(count, message.fileDescriptors().size());
                    for (int i = 0; i < count; i++) {
                        UnixFileDescriptor fd = message.fileDescriptors().get(i);
                        assertTrue(Content.isCloseOnExec(fd));
                        assertEquals(labels.get(i), Content.label(fd));
                    }
                    message.release();
                }
            }
            connection.end();
        }
        Evidence.of("CPython", "1, 16 and 253 descriptors read in order, each close-on-exec, " + setup);
    }

    @Setup.Every
    void descriptorsAreSentInOrder(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                for _ in range(int(sys.argv[1])):
                    data, fds, flags, _ = receive(sock)
                    print(int(flags & socket.MSG_CTRUNC), data.decode(), [label(fd) for fd in fds])
                    close_all(fds)
                """, COUNTS.length * contents(setup).size())) {
            for (int count : COUNTS) {
                for (String content : contents(setup)) {
                    List<String> labels = labels(count, content);
                    connection.send(connection.message(Content.of(content), labelled(labels))).sync();
                    connection.python().expect("0 " + content + " ['" + String.join("', '", labels) + "']");
                }
            }
            connection.end();
        }
        Evidence.of("CPython", "1, 16 and 253 descriptors written in order, " + setup);
    }

    @Setup.Every
    void whetherAPassedDescriptorBlocksIsLeftAlone(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                fds = [labelled("blocks"), labelled("does not"), socket.socket(socket.AF_UNIX).detach()]
                os.set_blocking(fds[1], False)
                send(sock, b"x", fds, peer)
                input()
                print([os.get_blocking(fd) for fd in fds])
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            assertEquals("blocks", Content.label(message.fileDescriptors().get(0)));
            connection.python().say("received");
            connection.python().expect("[True, False, True]");
            message.release();
            connection.end();
        }
        Evidence.of("CPython", "O_NONBLOCK of passed descriptors is left alone, " + setup);
    }

    /** Setups in which a message need not name its recipient. */
    static Stream<Setup> connected() {
        return Setup.all().filter(setup -> !setup.isUnconnected());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("connected")
    void aBareDescriptorIsSentWithOneZeroByteOrAnEmptyRecord(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                for _ in range(2):
                    data, fds, flags, _ = receive(sock)
                    print(data.hex(), [label(fd) for fd in fds])
                    close_all(fds)
                """)) {
            String content = setup.type() == SocketType.STREAM ? "00" : "";
            UnixFileDescriptor given = Content.labelled("given away");
            connection.send(given).sync();
            connection.python().expect(content + " ['given away']");
            assertFalse(given.isOpen());
            FileDescriptor kept = new FileDescriptor(Content.labelled("kept").detach());
            connection.send(kept).sync();
            connection.python().expect(content + " ['kept']");
            assertTrue(kept.isOpen());
            kept.close();
            connection.end();
        }
        Evidence.of("CPython", "a descriptor written without a message, " + setup);
    }

    @Setup.Every
    void theOrderOfWritesIsKept(Setup setup) throws Exception {
        int rounds = 100;
        // Reading a stream byte by byte shows which byte brought a descriptor.
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                for _ in range(int(sys.argv[1])):
                    data, fds, flags, _ = receive(sock, 1 if sock.type == socket.SOCK_STREAM else 100)
                    print(data.hex(), [label(fd) for fd in fds])
                    close_all(fds)
                """, rounds * (setup.isUnconnected() ? 3 : 4))) {
            ChannelFuture last = null;
            for (int i = 0; i < rounds; i++) {
                connection.channel().write(connection.bytes(oneByte(i)));
                connection.channel().write(connection.message(oneByte(i + 100), Content.labelled("message " + i)));
                if (!setup.isUnconnected()) {
                    connection.channel().write(Content.labelled("bare " + i));
                }
                last = connection.channel().write(connection.message(oneByte(i)));
            }
            connection.channel().flush();
            for (int i = 0; i < rounds; i++) {
                connection.python().expect("%02x []".formatted(i));
                connection.python().expect("%02x ['message %d']".formatted(i + 100, i));
                if (!setup.isUnconnected()) {
                    connection.python().expect((setup.type() == SocketType.STREAM ? "00" : "") + " ['bare " + i + "']");
                }
                connection.python().expect("%02x []".formatted(i));
            }
            last.sync();
            connection.end();
        }
        Evidence.of("CPython", "buffers, messages and descriptors keep the order of their writes, " + setup);
    }

    private static ByteBuf oneByte(int value) {
        return Unpooled.buffer(1).writeByte(value);
    }

    @Setup.Every
    void withoutControlDataDescriptorsAreDiscarded(Setup setup) throws Exception {
        int messages = 20;
        try (PeerConnection connection = PeerConnection.in(setup).start("""
                fds = [labelled("unwanted")] * 253
                input()
                for i in range(int(sys.argv[1])):
                    send(sock, b"" if i % 2 and sock.type != socket.SOCK_STREAM else b"x", fds, peer)
                wait_for_end()
                """, messages)) {
            Descriptors before = Descriptors.now();
            connection.python().say("send");
            StringBuilder received = new StringBuilder();
            for (int i = 0; received.length() < messages; i++) {
                String text = Content.text(Content.take(connection.inbox().take(setup.inbound(false))));
                if (setup.type() != SocketType.STREAM) {
                    assertEquals(i % 2 == 0 ? "x" : "", text);
                    text = "x";
                }
                received.append(text);
            }
            assertEquals("x".repeat(messages), received.toString());
            before.assertUnchanged();
            connection.end();
        }
        Evidence.of("CPython", "descriptors that nobody asked for are discarded, " + setup);
    }
}
