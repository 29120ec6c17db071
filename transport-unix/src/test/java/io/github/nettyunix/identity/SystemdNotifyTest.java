package io.github.nettyunix.identity;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.process.ChildProcess;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Installed;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/** This process acts as systemd for a service that reports its state: datagrams with credentials and descriptors. */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class SystemdNotifyTest {
    private final RecordingHandler inbox = new RecordingHandler();
    private Channel channel;
    private Map<String, String> environment;

    @BeforeEach
    void listen(@TempDir Path folder) throws Exception {
        Path path = folder.resolve("notify");
        channel = Channels.client(SocketType.DATAGRAM, inbox).option(UnixSocketOption.SO_PASSCRED, true)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true).bind(UnixSocketAddress.of(path)).sync().channel();
        environment = Map.of("NOTIFY_SOCKET", path.toString(), "PATH", System.getenv("PATH"));
    }

    @AfterEach
    void close() throws Exception {
        channel.close().sync();
        inbox.release();
    }

    private static int status(ChildProcess child) throws Exception {
        return child.onExit().get(20, TimeUnit.SECONDS);
    }

    @Test
    void systemdNotifyWaitsUntilItsDescriptorIsClosed() throws Exception {
        ChildProcess service = ChildProcess.start(List.of(Installed.path("systemd-notify"), "--ready", "--status=up"),
                environment, Map.of());
        UnixDatagramPacket ready = inbox.take(UnixDatagramPacket.class);
        assertEquals(List.of(), ready.fileDescriptors());
        assertEquals(UnixCredentials.ofThisProcess().uid(), ready.credentials().uid());
        assertEquals("READY=1\nSTATUS=up", Content.text(Content.take(ready)).strip());
        UnixDatagramPacket barrier = inbox.take(UnixDatagramPacket.class);
        assertEquals(1, barrier.fileDescriptors().size());
        assertEquals(UnixFileDescriptor.Type.PIPE, barrier.fileDescriptors().get(0).type());
        assertEquals(UnixCredentials.ofThisProcess().uid(), barrier.credentials().uid());
        assertEquals("BARRIER=1", Content.text(Content.bytes(barrier.content())));
        // It waits until everything that it has sent has been processed.
        assertFalse(service.onExit().isDone());
        barrier.release();
        assertEquals(0, status(service));
        Evidence.of("systemd", "systemd-notify's barrier: credentials and a descriptor in one datagram");
    }

    @Test
    void aServiceStoresItsDescriptorsWithTheManager() throws Exception {
        String script = """
                import ctypes, os, sys
                fds = [os.memfd_create(name) for name in ("one", "two")]
                for fd in fds:
                    os.pwrite(fd, b"state %d" % fds.index(fd), 0)
                result = ctypes.CDLL("libsystemd.so.0").sd_pid_notify_with_fds(
                    os.getppid(), 0, b"FDSTORE=1\\nFDNAME=state", (ctypes.c_int * 2)(*fds), 2)
                sys.exit(result <= 0)
                """;
        ChildProcess service = ChildProcess.start(List.of("python3", "-c", script), environment, Map.of());
        UnixDatagramPacket packet = inbox.take(UnixDatagramPacket.class);
        // Root may send for its parent.
        UnixCredentials own = UnixCredentials.ofThisProcess();
        assertEquals(new UnixCredentials(own.uid() == 0 ? own.pid() : service.pid(), own.uid(), own.gid()),
                packet.credentials());
        assertEquals(2, packet.fileDescriptors().size());
        for (int i = 0; i < 2; i++) {
            UnixFileDescriptor fd = packet.fileDescriptors().get(i);
            assertEquals(UnixFileDescriptor.Type.MEMFD, fd.type());
            assertEquals("state " + i, Content.label(fd));
        }
        assertEquals("FDSTORE=1\nFDNAME=state", Content.text(Content.take(packet)));
        assertEquals(0, status(service));
        Evidence.of("systemd", "sd_pid_notify_with_fds: credentials and two descriptors in one datagram");
    }
}
