package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Meeting;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Way;
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

/** Descriptors between this process and CPython's, each known by the text that can be read from it. */
@Tag("library")
class CPythonDescriptorsTest {
    private static final int[] COUNTS = {1, 16, 253};

    /** On a stream descriptors need a byte to travel with. */
    private static List<String> contents(Way way) {
        return way.type() == SocketType.STREAM ? List.of("bytes") : List.of("bytes", "");
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

    @Way.Every
    void descriptorsArriveInOrderAndCloseOnExec(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start("""
                for line in sys.stdin:
                    count, *content = line.split()
                    content = "".join(content)
                    fds = [labelled(f"{i} of {count} with {content}") for i in range(int(count))]
                    send(sock, content.encode(), fds, peer)
                    close_all(fds)
                """)) {
            for (int count : COUNTS) {
                for (String content : contents(way)) {
                    meeting.python().say(count + " " + content);
                    UnixMessage message = meeting.inbox().take(UnixMessage.class);
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
            meeting.end();
        }
        Proof.of("CPython", "1, 16 and 253 descriptors read in order, each close-on-exec, " + way);
    }

    @Way.Every
    void descriptorsAreSentInOrder(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("""
                for _ in range(int(sys.argv[1])):
                    data, fds, flags, _ = receive(sock)
                    print(flags & socket.MSG_CTRUNC, data.decode(), [label(fd) for fd in fds])
                    close_all(fds)
                """, COUNTS.length * contents(way).size())) {
            for (int count : COUNTS) {
                for (String content : contents(way)) {
                    List<String> labels = labels(count, content);
                    meeting.send(meeting.message(Content.of(content), labelled(labels))).sync();
                    meeting.python().expect("0 " + content + " ['" + String.join("', '", labels) + "']");
                }
            }
            meeting.end();
        }
        Proof.of("CPython", "1, 16 and 253 descriptors written in order, " + way);
    }

    @Way.Every
    void whetherAPassedDescriptorBlocksIsLeftAlone(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start("""
                fds = [labelled("blocks"), labelled("does not"), socket.socket(socket.AF_UNIX).detach()]
                os.set_blocking(fds[1], False)
                send(sock, b"x", fds, peer)
                input()
                print([os.get_blocking(fd) for fd in fds])
                """)) {
            UnixMessage message = meeting.inbox().take(UnixMessage.class);
            assertEquals("blocks", Content.label(message.fileDescriptors().get(0)));
            meeting.python().say("received");
            meeting.python().expect("[True, False, True]");
            message.release();
            meeting.end();
        }
        Proof.of("CPython", "O_NONBLOCK of passed descriptors is left alone, " + way);
    }

    /** Where a message need not name its recipient. */
    static Stream<Way> connected() {
        return Way.all().filter(way -> !way.isUnconnected());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("connected")
    void aBareDescriptorGoesWithOneZeroByteOrAsAnEmptyRecord(Way way) throws Exception {
        try (Meeting meeting = Meeting.in(way).start("""
                for _ in range(2):
                    data, fds, flags, _ = receive(sock)
                    print(data.hex(), [label(fd) for fd in fds])
                    close_all(fds)
                """)) {
            String content = way.type() == SocketType.STREAM ? "00" : "";
            UnixFileDescriptor given = Content.labelled("given away");
            meeting.send(given).sync();
            meeting.python().expect(content + " ['given away']");
            assertFalse(given.isOpen());
            FileDescriptor kept = new FileDescriptor(Content.labelled("kept").detach());
            meeting.send(kept).sync();
            meeting.python().expect(content + " ['kept']");
            assertTrue(kept.isOpen());
            kept.close();
            meeting.end();
        }
        Proof.of("CPython", "a descriptor written without a message, " + way);
    }

    @Way.Every
    void theOrderOfWritesIsKept(Way way) throws Exception {
        int rounds = 100;
        // Read by single bytes a stream shows which of them brought a descriptor.
        try (Meeting meeting = Meeting.in(way).start("""
                for _ in range(int(sys.argv[1])):
                    data, fds, flags, _ = receive(sock, 1 if sock.type == socket.SOCK_STREAM else 100)
                    print(data.hex(), [label(fd) for fd in fds])
                    close_all(fds)
                """, rounds * (way.isUnconnected() ? 3 : 4))) {
            ChannelFuture last = null;
            for (int i = 0; i < rounds; i++) {
                meeting.channel().write(meeting.bytes(oneByte(i)));
                meeting.channel().write(meeting.message(oneByte(i + 100), Content.labelled("message " + i)));
                if (!way.isUnconnected()) {
                    meeting.channel().write(Content.labelled("bare " + i));
                }
                last = meeting.channel().write(meeting.message(oneByte(i)));
            }
            meeting.channel().flush();
            for (int i = 0; i < rounds; i++) {
                meeting.python().expect("%02x []".formatted(i));
                meeting.python().expect("%02x ['message %d']".formatted(i + 100, i));
                if (!way.isUnconnected()) {
                    meeting.python().expect((way.type() == SocketType.STREAM ? "00" : "") + " ['bare " + i + "']");
                }
                meeting.python().expect("%02x []".formatted(i));
            }
            last.sync();
            meeting.end();
        }
        Proof.of("CPython", "buffers, messages and descriptors keep the order of their writes, " + way);
    }

    private static ByteBuf oneByte(int value) {
        return Unpooled.buffer(1).writeByte(value);
    }

    @Way.Every
    void withoutControlDataDescriptorsAreDiscarded(Way way) throws Exception {
        int messages = 20;
        try (Meeting meeting = Meeting.in(way).start("""
                fds = [labelled("unwanted")] * 253
                input()
                for i in range(int(sys.argv[1])):
                    send(sock, b"" if i % 2 and sock.type != socket.SOCK_STREAM else b"x", fds, peer)
                wait_for_end()
                """, messages)) {
            Descriptors before = Descriptors.now();
            meeting.python().say("send");
            StringBuilder received = new StringBuilder();
            for (int i = 0; received.length() < messages; i++) {
                String text = Content.text(Content.take(meeting.inbox().take(way.inbound(false))));
                if (way.type() != SocketType.STREAM) {
                    assertEquals(i % 2 == 0 ? "x" : "", text);
                    text = "x";
                }
                received.append(text);
            }
            assertEquals("x".repeat(messages), received.toString());
            before.assertUnchanged();
            meeting.end();
        }
        Proof.of("CPython", "descriptors that nobody asked for are discarded, " + way);
    }
}
