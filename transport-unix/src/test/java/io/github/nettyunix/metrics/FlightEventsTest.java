package io.github.nettyunix.metrics;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.github.nettyunix.handler.FileDescriptorRefusedException;
import io.github.nettyunix.handler.FileDescriptorTypeHandler;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.FailingCalls;
import io.github.nettyunix.testing.FullBacklog;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import jdk.jfr.Recording;
import jdk.jfr.RecordingState;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What Flight Recorder records of channels. */
@Tag("once")
class FlightEventsTest {
    private static final String PREFIX = "io.github.nettyunix.";

    @TempDir
    private Path folder;

    /** A recording; other tests of this JVM do not run meanwhile. */
    private final class Recorded implements AutoCloseable {
        private final Recording recording = new Recording();

        Recorded() {
            for (String event : List.of("Connect", "Accept", "Truncation", "DescriptorsRefused")) {
                recording.enable(PREFIX + event);
            }
            recording.start();
        }

        List<RecordedEvent> events(String name) throws IOException {
            if (recording.getState() == RecordingState.RUNNING) {
                recording.stop();
            }
            Path file = folder.resolve("recording.jfr");
            recording.dump(file);
            List<RecordedEvent> events = new ArrayList<>(RecordingFile.readAllEvents(file));
            events.removeIf(event -> !event.getEventType().getName().equals(PREFIX + name));
            return events;
        }

        RecordedEvent event(String name) throws IOException {
            List<RecordedEvent> events = events(name);
            assertEquals(1, events.size(), events::toString);
            RecordedEvent event = events.get(0);
            assertEquals(List.of("Netty Unix"), event.getEventType().getCategoryNames());
            assertNull(event.getStackTrace());
            return event;
        }

        @Override
        public void close() {
            recording.close();
        }
    }

    private static String idOf(Channel channel) {
        return "0x" + channel.id().asShortText();
    }

    /** Returns the cause when the loop has told everybody of it. */
    private static Throwable failure(ChannelFuture future) throws InterruptedException {
        Throwable cause = ChannelPair.failure(future);
        ChannelPair.settle(future.channel());
        return cause;
    }

    private UnixSocketAddress address(String name) {
        return UnixSocketAddress.of(folder.resolve(name));
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectionsAreRecorded(SocketType type) throws Exception {
        RecordingHandler accepted = new RecordingHandler();
        Channel server = Channels.server(type, () -> accepted).bind(address("app.sock")).sync().channel();
        try (Recorded recorded = new Recorded()) {
            Channel client = Channels.client(type, new RecordingHandler()).connect(server.localAddress()).sync()
                    .channel();
            Channel child = accepted.channel();
            child.close().sync();
            client.close().sync();

            RecordedEvent connect = recorded.event("Connect");
            assertEquals(idOf(client), connect.getString("channel"));
            assertEquals(type.toString(), connect.getString("socketType"));
            assertEquals(server.localAddress().toString(), connect.getString("address"));
            assertNull(connect.getString("error"));

            RecordedEvent accept = recorded.event("Accept");
            assertEquals(idOf(server), accept.getString("channel"));
            assertEquals(type.toString(), accept.getString("socketType"));
            assertEquals(server.localAddress().toString(), accept.getString("address"));
            assertEquals(idOf(child), accept.getString("connection"));
            assertEquals("unnamed", accept.getString("peer"));
            assertNull(accept.getString("error"));
        }
        server.close().sync();
    }

    @EachType
    void failedConnectIsRecordedWithItsCause(SocketType type) throws Exception {
        try (Recorded recorded = new Recorded()) {
            Throwable cause = failure(Channels.client(type, new RecordingHandler())
                    .connect(address("missing.sock")));
            RecordedEvent connect = recorded.event("Connect");
            assertEquals(address("missing.sock").toString(), connect.getString("address"));
            assertEquals(cause.getMessage(), connect.getString("error"));
        }
    }

    @EnabledOnOs(OS.LINUX)
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void connectTakesAsLongAsTheBacklogIsFull(SocketType type) throws Exception {
        Path path = folder.resolve("app.sock");
        try (FullBacklog backlog = new FullBacklog(type, path); Recorded recorded = new Recorded()) {
            Throwable cause = failure(Channels.client(type, new RecordingHandler())
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 200).connect(UnixSocketAddress.of(path)));
            RecordedEvent connect = recorded.event("Connect");
            assertEquals(cause.getMessage(), connect.getString("error"));
            assertTrue(connect.getDuration().compareTo(Duration.ofMillis(200)) >= 0, connect::toString);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void failedAcceptIsRecordedWithItsCause() throws Exception {
        EventLoopGroup group = Loops.newGroup(1);
        RecordingHandler inbox = new RecordingHandler();
        Channel server = Channels.server(group, SocketType.STREAM, RecordingHandler::new).handler(inbox)
                .bind(address("app.sock")).sync().channel();
        FailingCalls.on(server.eventLoop(), "accept4", Errno.ENOBUFS);
        try (Recorded recorded = new Recorded(); RawSocket client = RawSocket.of(SocketType.STREAM)) {
            assertEquals(0, client.connect(address("app.sock").bytes()));
            Throwable cause = inbox.take(IOException.class);
            RecordedEvent accept = recorded.events("Accept").get(0);
            assertEquals(idOf(server), accept.getString("channel"));
            assertEquals(cause.getMessage(), accept.getString("error"));
            assertNull(accept.getString("connection"));
        }
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void truncatedRecordIsRecorded(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.MAX_MESSAGE_SIZE, 10).start();
                Recorded recorded = new Recorded()) {
            pair.send("more than ten bytes").sync();
            MessageTruncatedException cause = pair.inbox.take(MessageTruncatedException.class);
            RecordedEvent truncation = recorded.event("Truncation");
            assertEquals(idOf(pair.receiver), truncation.getString("channel"));
            assertEquals(type.toString(), truncation.getString("socketType"));
            assertEquals("unnamed", truncation.getString("address"));
            assertEquals(type == SocketType.DATAGRAM ? "unnamed" : null, truncation.getString("sender"));
            assertEquals(cause.getMessage(), truncation.getString("error"));
        }
    }

    @EachType
    void truncatedControlDataIsRecorded(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .with(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 1).start();
                Recorded recorded = new Recorded()) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
            ControlDataTruncatedException cause = pair.inbox.take(ControlDataTruncatedException.class);
            assertEquals(cause.getMessage(), recorded.event("Truncation").getString("error"));
        }
    }

    @EachType
    void refusedDescriptorsAreRecorded(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(new FileDescriptorTypeHandler(UnixFileDescriptor.Type.SOCKET));
                Recorded recorded = new Recorded()) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
            FileDescriptorRefusedException cause = pair.inbox.take(FileDescriptorRefusedException.class);
            RecordedEvent refused = recorded.event("DescriptorsRefused");
            assertEquals(idOf(pair.receiver), refused.getString("channel"));
            assertEquals(type.toString(), refused.getString("socketType"));
            assertEquals("unnamed", refused.getString("address"));
            assertEquals(3, refused.getInt("count"));
            assertEquals(cause.getMessage(), refused.getString("reason"));
        }
    }

    @Test
    void descriptorsThatDoNotFitIntoAQueueAreRecorded() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(new FileDescriptorQueueHandler(2)); Recorded recorded = new Recorded()) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
            pair.inbox.take(FileDescriptorRefusedException.class);
            assertEquals(3, recorded.event("DescriptorsRefused").getInt("count"));
        }
    }

    /** The main method of a JVM without the module jdk.jfr. */
    static final class WithoutFlightRecorder {
        public static void main(String[] arguments) {
            int status = 1;
            try {
                send(Path.of(arguments[0]));
                status = 0;
            } catch (Throwable t) {
                t.printStackTrace();
            } finally {
                // The event loops would keep the JVM alive.
                System.exit(status);
            }
        }

        private static void send(Path path) throws Exception {
            if (ModuleLayer.boot().findModule("jdk.jfr").isPresent()) {
                throw new AssertionError("there is a Flight Recorder");
            }
            RecordingHandler inbox = new RecordingHandler();
            Channels.server(SocketType.STREAM, () -> inbox).bind(UnixSocketAddress.of(path)).sync();
            Channel client = Channels.client(SocketType.STREAM, new RecordingHandler())
                    .connect(UnixSocketAddress.of(path)).sync().channel();
            client.writeAndFlush(ChannelPair.buffer("hello")).sync();
            System.out.println(ChannelPair.text(inbox.take()));
        }
    }

    @Test
    void channelsWorkInAJvmWithoutFlightRecorder() throws Exception {
        List<String> command = Jvm.command(WithoutFlightRecorder.class, "--limit-modules",
                "java.base,java.logging,jdk.unsupported");
        command.add(folder.resolve("app.sock").toString());
        Process jvm = new ProcessBuilder(command).redirectErrorStream(true).start();
        assertEquals("hello", new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim());
        assertEquals(0, jvm.waitFor());
        Evidence.of("java --limit-modules", "channels need no Flight Recorder");
    }
}
