package io.github.nettyunix.api;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.logging.LogLevel;
import io.netty.handler.logging.LoggingHandler;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What Netty's {@link LoggingHandler} shows of messages, descriptors and channels without a name. */
@ExtendWith(LeakCheckExtension.class)
class LoggingHandlerTest {
    private static final UnixCredentials ME = new UnixCredentials(1, 2, 3, List.of());

    /** Keeps what it would log. */
    private static final class Log extends LoggingHandler {
        private final List<String> lines = new ArrayList<>();

        Log() {
            super(LogLevel.TRACE);
        }

        @Override
        protected String format(ChannelHandlerContext ctx, String event, Object argument) {
            String line = super.format(ctx, event, argument);
            synchronized (lines) {
                lines.add(line);
            }
            return line;
        }

        String last() {
            synchronized (lines) {
                return lines.get(lines.size() - 1);
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            // Nothing listens to the logger's own output, which might not be enabled.
            format(ctx, "READ", message);
            ctx.fireChannelRead(message);
        }
    }

    /** Returns what is logged when the message arrives, and releases it. */
    private static String logged(Object message) {
        Log log = new Log();
        EmbeddedChannel channel = new EmbeddedChannel(log);
        channel.writeInbound(message);
        ReferenceCountUtil.release(channel.readInbound());
        channel.finishAndReleaseAll();
        return log.last();
    }

    private static void assertContains(String line, String... parts) {
        for (String part : parts) {
            assertTrue(line.contains(part), () -> "no \"" + part + "\" in: " + line);
        }
    }

    @Test
    @Tag("once")
    void descriptorsAreShownWithTheirTypes(@TempDir Path folder) throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        List<UnixFileDescriptor> fds = new ArrayList<>(UnixFileDescriptor.socketPair(SocketType.STREAM));
        fds.add(UnixFileDescriptor.open(file));
        fds.add(UnixFileDescriptor.open(folder));
        fds.add(UnixFileDescriptor.memfd("memory", Unpooled.EMPTY_BUFFER));
        fds.add(UnixFileDescriptor.open(Path.of("/dev/null")));
        fds.add(UnixFileDescriptor.eventFd(0, false));
        UnixFileDescriptor closed = UnixFileDescriptor.open(file);
        closed.close();
        fds.add(closed);
        List<String> shown = List.of("SOCKET", "SOCKET", "REGULAR_FILE", "DIRECTORY", "MEMFD", "CHARACTER_DEVICE",
                "OTHER", "closed");
        String[] parts = new String[fds.size()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = "UnixFileDescriptor(" + fds.get(i).intValue() + ", " + shown.get(i) + ")";
        }
        assertContains(logged(new UnixMessage(ChannelPair.buffer("x"), fds)), parts);
    }

    @Test
    @Tag("once")
    void messageIsShownAsItsBytesDescriptorsAndCredentials() throws Exception {
        UnixFileDescriptor pidFd = UnixFileDescriptor.eventFd(0, false);
        UnixFileDescriptor fd = UnixFileDescriptor.eventFd(0, false);
        String line = logged(new UnixMessage(ChannelPair.buffer("hello"), List.of(fd), ME, pidFd, "label"));
        assertContains(line, "READ", "5B", "| 68 65 6c 6c 6f ", "|hello ",
                "fileDescriptors: [UnixFileDescriptor(" + fd.intValue() + ", OTHER)]",
                "UnixCredentials[pid=1, uid=2, gid=3, groups=[]]",
                "pidFd: UnixFileDescriptor(" + pidFd.intValue() + ", OTHER)", "securityLabel: label");
        assertContains(logged(new UnixMessage(Unpooled.EMPTY_BUFFER)), "READ", "UnixMessage", "0B");
    }

    @Test
    @Tag("once")
    void datagramIsShownWithItsAddresses() {
        String line = logged(new UnixDatagramPacket(ChannelPair.buffer("hello"), UnixSocketAddress.of("/to"), null,
                List.of(), ME, null, null));
        assertContains(line, "UnixDatagramPacket(", "pid=1", "(unnamed => /to)", "| 68 65 6c 6c 6f ");
    }

    @Test
    @Tag("once")
    void bareDescriptorIsShownWithItsType() throws IOException {
        UnixFileDescriptor fd = UnixFileDescriptor.eventFd(0, false);
        assertContains(logged(fd), "READ: UnixFileDescriptor(" + fd.intValue() + ", OTHER)");
    }

    @EachType
    void channelsWithoutANameSayThatTheyHaveNone(SocketType type) throws Exception {
        Log log = new Log();
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(log)) {
            pair.send("hello").sync();
            assertEquals("hello", pair.text());
            assertContains(log.last(), "L:unnamed - R:unnamed] READ", "|hello ");
        }
    }
}
