package io.github.nettyunix.examples.frameworks.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import io.netty.buffer.Unpooled;
import org.freedesktop.dbus.FileDescriptor;
import org.freedesktop.dbus.connections.impl.DBusConnection;
import org.freedesktop.dbus.connections.impl.DBusConnectionBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class DBusJavaTest {
    private static final String NAME = "io.github.nettyunix.examples";

    @TempDir
    private Path folder;
    private final FilesService service = new FilesService();

    @AfterEach
    void stop() {
        service.close();
    }

    private String address() {
        return "unix:path=" + folder.resolve("bus");
    }

    private Program startDaemon() throws Exception {
        Program daemon = Program.start("dbus-daemon", "--session", "--nofork", "--print-address",
                "--address=" + address());
        daemon.awaitLine("^unix:path=");
        return daemon;
    }

    private DBusConnection connect() throws Exception {
        DBusConnection bus = DBusConnectionBuilder.forAddress(address()).withShared(false).build();
        assertTrue(bus.isFileDescriptorSupported());
        return bus;
    }

    private static void exchange(Files files) throws Exception {
        for (int i = 0; i < 100; i++) {
            String content = "content " + i;
            UnixFileDescriptor file = UnixFileDescriptor.memfd("once",
                    Unpooled.copiedBuffer(content, StandardCharsets.UTF_8));
            FileDescriptor result = files.twice(new FileDescriptor(file.intValue()));
            file.release();
            UnixFileDescriptor received = UnixFileDescriptor.adopt(result.getIntFileDescriptor());
            try (FileChannel channel = received.toFileChannel(StandardOpenOption.READ)) {
                ByteBuffer bytes = ByteBuffer.allocate((int) channel.size());
                channel.read(bytes, 0);
                assertEquals(content + content, StandardCharsets.UTF_8.decode(bytes.flip()).toString());
            }
            received.release();
        }
    }

    @Test
    void descriptorsInBothDirections() throws Exception {
        try (Program daemon = startDaemon(); DBusConnection server = connect(); DBusConnection client = connect()) {
            server.requestBusName(NAME);
            server.exportObject(service);
            exchange(client.getRemoteObject(NAME, "/files", Files.class));
        }
        Evidence.of("dbus-daemon", "calls of dbus-java, with descriptors in both directions");
    }

    @Test
    void largeMessages() throws Exception {
        try (Program daemon = startDaemon(); DBusConnection server = connect(); DBusConnection client = connect()) {
            server.requestBusName(NAME);
            server.exportObject(service);
            Files files = client.getRemoteObject(NAME, "/files", Files.class);
            String text = "x".repeat(3_000_000);
            assertEquals(text, files.echo(text));
        }
    }
}
