package io.github.nettyunix.benchmarks.features;

import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.newsclub.net.unix.AFSocketType;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.BindException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The JDK's column of the README's table of features. */
@EnabledOnOs(OS.LINUX)
class JdkTest {
    @TempDir
    private Path folder;

    private UnixDomainSocketAddress address() {
        return UnixDomainSocketAddress.of(folder.resolve("sock"));
    }

    private ServerSocketChannel server() throws IOException {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address(), 1);
    }

    @Test
    @DisplayName("stream sockets")
    void streams() throws Exception {
        try (ServerSocketChannel server = server(); SocketChannel client = SocketChannel.open(address());
                SocketChannel accepted = server.accept()) {
            client.write(ByteBuffer.wrap(new byte[3]));
            assertEquals(3, accepted.read(ByteBuffer.allocate(10)));
        }
    }

    @Test
    @DisplayName("seqpacket sockets")
    void noSeqpacket() throws Exception {
        try (AFUNIXDatagramSocket server = AFUNIXDatagramSocket.newInstance(AFSocketType.SOCK_SEQPACKET)) {
            server.bind(AFUNIXSocketAddress.of(address().getPath()));
            server.listen(1);
            SocketException refused = assertThrows(SocketException.class, () -> SocketChannel.open(address()));
            assertEquals("Protocol wrong type for socket", refused.getMessage());
        }
    }

    @Test
    @DisplayName("datagram sockets")
    void noDatagrams() {
        assertThrows(UnsupportedOperationException.class, () -> DatagramChannel.open(StandardProtocolFamily.UNIX));
    }

    @Test
    @DisplayName("descriptors in a message")
    void descriptorsAreLost() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        try (ServerSocketChannel server = server(); FileInputStream passed = new FileInputStream(file.toFile());
                AFUNIXSocket client = AFUNIXSocket.connectTo(AFUNIXSocketAddress.of(address().getPath()));
                SocketChannel accepted = server.accept()) {
            client.setOutboundFileDescriptors(new FileDescriptor[] {passed.getFD()});
            client.getOutputStream().write(new byte[3]);
            assertEquals(3, accepted.read(ByteBuffer.allocate(10)));
            assertEquals(1, Machine.flagsOf(file).size());
        }
    }

    @Test
    @DisplayName("identity of the peer")
    void namesOfThePeer() throws Exception {
        try (ServerSocketChannel server = server(); SocketChannel client = SocketChannel.open(address())) {
            UnixDomainPrincipal peer = client.getOption(ExtendedSocketOptions.SO_PEERCRED);
            assertEquals(Machine.userName(), peer.user().getName());
            assertTrue(server.isOpen());
        }
    }

    @Test
    @DisplayName("`connect` to a server whose backlog is full")
    void connectWaits() throws Exception {
        try (ServerSocketChannel server = server()) {
            Waiting.clients(() -> SocketChannel.open(address()), () -> server.accept().close());
        }
        Files.delete(address().getPath());
        List<SocketChannel> clients = new ArrayList<>();
        try (ServerSocketChannel server = server()) {
            SocketException full = assertThrows(SocketException.class, () -> {
                while (server.isOpen()) {
                    SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX);
                    clients.add(client);
                    client.configureBlocking(false);
                    client.connect(address());
                }
            });
            assertEquals("Resource temporarily unavailable", full.getMessage());
        } finally {
            for (SocketChannel client : clients) {
                client.close();
            }
        }
    }

    @Test
    @DisplayName("`bind` to the path of a live server")
    void aLiveServerStays() throws Exception {
        try (ServerSocketChannel live = server()) {
            assertThrows(BindException.class, this::server);
            assertTrue(live.isOpen());
        }
    }

    @Test
    @DisplayName("`bind` to the path of a server that has ended")
    void aStaleSocketStays() throws Exception {
        server().close();
        assertTrue(Files.exists(address().getPath()));
        assertThrows(BindException.class, this::server);
    }

    @Test
    @DisplayName("`bind` to the path of a regular file")
    void aFileStays() throws Exception {
        Files.createFile(address().getPath());
        assertThrows(BindException.class, this::server);
    }

    @Test
    @DisplayName("mode of the socket file")
    void theUmaskDeterminesTheMode() throws Exception {
        try (ServerSocketChannel server = server()) {
            assertEquals(0777 & ~Machine.umask(), Machine.mode(address().getPath()));
            assertTrue(server.isOpen());
        }
    }

    @Test
    @DisplayName("paths longer than `sun_path` (107 bytes)")
    void noLongPaths() {
        Path path = folder.resolve("x".repeat(120));
        SocketException tooLong = assertThrows(SocketException.class, () ->
                ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(path)));
        assertEquals("Unix domain path too long", tooLong.getMessage());
    }

    @Test
    @DisplayName("abstract names")
    void noAbstractNames() {
        assertThrows(InvalidPathException.class, () -> UnixDomainSocketAddress.of("\0name"));
    }

    @Test
    @DisplayName("a listening socket from the parent process")
    void inherited() throws Exception {
        Inherited.check("jdk", address().getPath());
    }
}
