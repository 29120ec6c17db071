package io.github.nettyunix.benchmarks.features;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.newsclub.net.unix.AFSocketType;
import org.newsclub.net.unix.AFUNIXDatagramChannel;
import org.newsclub.net.unix.AFUNIXDatagramSocket;
import org.newsclub.net.unix.AFUNIXServerSocket;
import org.newsclub.net.unix.AFUNIXSocket;
import org.newsclub.net.unix.AFUNIXSocketAddress;
import org.newsclub.net.unix.AFUNIXSocketCredentials;

import java.io.Closeable;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** junixsocket's column of the README's table of features. */
@EnabledOnOs(OS.LINUX)
class JunixsocketTest {
    /** The most descriptors that fit into what it reserves for them. */
    private static final int MAX_DESCRIPTORS = 60;

    @TempDir
    private Path folder;
    private final Deque<Closeable> open = new ArrayDeque<>();

    @AfterEach
    void close() throws IOException {
        for (Closeable socket : open) {
            socket.close();
        }
    }

    private <T extends Closeable> T closing(T socket) {
        open.addFirst(socket);
        return socket;
    }

    private AFUNIXSocketAddress address() throws IOException {
        return AFUNIXSocketAddress.of(folder.resolve("sock"));
    }

    private AFUNIXServerSocket server() throws IOException {
        AFUNIXServerSocket server = closing(AFUNIXServerSocket.newInstance());
        server.bind(address(), 1);
        return server;
    }

    private AFUNIXSocket[] streams() throws IOException {
        try (AFUNIXServerSocket server = server()) {
            return new AFUNIXSocket[] {closing(AFUNIXSocket.connectTo(address())), closing(server.accept())};
        }
    }

    private AFUNIXDatagramSocket[] records() throws IOException {
        try (AFUNIXDatagramSocket server = AFUNIXDatagramSocket.newInstance(AFSocketType.SOCK_SEQPACKET)) {
            server.bind(address());
            server.listen(1);
            AFUNIXDatagramSocket client = closing(AFUNIXDatagramSocket.newInstance(AFSocketType.SOCK_SEQPACKET));
            client.connect(address());
            return new AFUNIXDatagramSocket[] {client, closing((AFUNIXDatagramSocket) server.accept())};
        }
    }

    private AFUNIXDatagramSocket[] datagrams() throws IOException {
        AFUNIXDatagramSocket recipient = closing(AFUNIXDatagramSocket.newInstance());
        recipient.bind(address());
        AFUNIXDatagramSocket sender = closing(AFUNIXDatagramSocket.newInstance());
        sender.connect(address());
        return new AFUNIXDatagramSocket[] {sender, recipient};
    }

    private static void send(AFUNIXDatagramSocket socket, int length) throws IOException {
        socket.send(new DatagramPacket(new byte[length], length));
    }

    private static int receive(AFUNIXDatagramSocket socket) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[10], 10);
        socket.receive(packet);
        return packet.getLength();
    }

    @Test
    @DisplayName("stream sockets")
    void streamSockets() throws Exception {
        AFUNIXSocket[] pair = streams();
        pair[0].getOutputStream().write(new byte[3]);
        assertEquals(3, pair[1].getInputStream().read(new byte[10]));
    }

    @Test
    @DisplayName("seqpacket sockets")
    void seqpacketSockets() throws Exception {
        AFUNIXDatagramSocket[] pair = records();
        send(pair[0], 2);
        send(pair[0], 3);
        assertEquals(2, receive(pair[1]));
        assertEquals(3, receive(pair[1]));
    }

    @Test
    @DisplayName("datagram sockets")
    void datagramSockets() throws Exception {
        AFUNIXDatagramSocket[] pair = datagrams();
        send(pair[0], 2);
        assertEquals(2, receive(pair[1]));
    }

    @Test
    @DisplayName("descriptors in a message")
    void manyDescriptorsWithBytes() throws Exception {
        AFUNIXSocket[] pair = streams();
        pair[1].setAncillaryReceiveBufferSize(4096);
        try (FileInputStream file = new FileInputStream("/dev/null")) {
            for (int count = MAX_DESCRIPTORS; count <= MAX_DESCRIPTORS + 1; count++) {
                FileDescriptor[] descriptors = new FileDescriptor[count];
                Arrays.fill(descriptors, file.getFD());
                pair[0].setOutboundFileDescriptors(descriptors);
                pair[0].getOutputStream().write(new byte[3]);
                if (count <= MAX_DESCRIPTORS) {
                    assertEquals(3, pair[1].getInputStream().read(new byte[10]));
                    assertEquals(count, pair[1].getReceivedFileDescriptors().length);
                } else {
                    assertThrows(SocketException.class, () -> pair[1].getInputStream().read(new byte[10]));
                }
            }
        }
    }

    @Test
    @DisplayName("descriptors on seqpacket and datagram sockets")
    void descriptorsOnRecords() throws Exception {
        for (AFUNIXDatagramSocket[] pair : new AFUNIXDatagramSocket[][] {records(), datagrams()}) {
            pair[1].setAncillaryReceiveBufferSize(4096);
            try (FileInputStream file = new FileInputStream("/dev/null")) {
                pair[0].setOutboundFileDescriptors(file.getFD(), file.getFD());
                send(pair[0], 3);
                assertEquals(3, receive(pair[1]));
                assertEquals(2, pair[1].getReceivedFileDescriptors().length);
            }
        }
    }

    @Test
    @DisplayName("received descriptors are closed by `exec`")
    void receivedDescriptorsAreInherited() throws Exception {
        assertEquals(0, flagsOfAReceivedDescriptor() & Machine.O_CLOEXEC);
    }

    @Test
    @DisplayName("a received descriptor blocks as its sender left it")
    void receivedDescriptorsAreNotChanged() throws Exception {
        assertEquals(0, flagsOfAReceivedDescriptor() & Machine.O_NONBLOCK);
    }

    private int flagsOfAReceivedDescriptor() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        AFUNIXSocket[] pair = streams();
        pair[1].setAncillaryReceiveBufferSize(4096);
        try (FileInputStream passed = new FileInputStream(file.toFile())) {
            Set<Integer> own = Machine.flagsOf(file).keySet();
            pair[0].setOutboundFileDescriptors(passed.getFD());
            pair[0].getOutputStream().write(1);
            pair[1].getInputStream().read();
            return Machine.flagsOf(file).entrySet().stream().filter(one -> !own.contains(one.getKey())).findFirst()
                    .orElseThrow().getValue();
        }
    }

    @Test
    @DisplayName("identity of the peer")
    void identity() throws Exception {
        AFUNIXSocketCredentials peer = streams()[0].getPeerCredentials();
        assertEquals(ProcessHandle.current().pid(), peer.getPid());
        assertEquals(Machine.uid(), peer.getUid());
        assertArrayEquals(new long[] {peer.getGid()}, peer.getGids());
    }

    @Test
    @DisplayName("empty datagrams")
    void emptyDatagramsAreAnException() throws Exception {
        AFUNIXDatagramSocket[] pair = datagrams();
        send(pair[0], 0);
        assertThrows(SocketTimeoutException.class, () -> receive(pair[1]));
    }

    @Test
    @DisplayName("a datagram longer than the buffer")
    void longDatagramsAreCut() throws Exception {
        AFUNIXDatagramSocket[] pair = datagrams();
        send(pair[0], 1000);
        send(pair[0], 1);
        assertEquals(10, receive(pair[1]));
        assertEquals(1, receive(pair[1]));
    }

    @Test
    @DisplayName("an empty record and the end of a seqpacket connection")
    void emptyRecordsLookLikeTheEnd() throws Exception {
        AFUNIXDatagramSocket[] pair = records();
        send(pair[0], 0);
        assertThrows(SocketTimeoutException.class, () -> receive(pair[1]));
        pair[0].close();
        assertThrows(SocketTimeoutException.class, () -> receive(pair[1]));
    }

    @Test
    @DisplayName("a datagram to a recipient whose queue is full")
    void sendersWait() throws Exception {
        AFUNIXDatagramSocket[] pair = datagrams();
        AFUNIXDatagramChannel channel = closing(AFUNIXDatagramChannel.open());
        channel.configureBlocking(false);
        int sent = 0;
        while (channel.send(ByteBuffer.allocate(1), address()) == 1) {
            sent++;
        }
        CompletableFuture<Void> waiting = CompletableFuture.runAsync(() -> {
            try {
                send(pair[0], 2);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        for (; sent > 0; sent--) {
            assertEquals(1, receive(pair[1]));
        }
        assertEquals(2, receive(pair[1]));
        waiting.get();
    }

    @Test
    @DisplayName("`connect` to a server whose backlog is full")
    void connectWaits() throws Exception {
        AFUNIXServerSocket server = server();
        Waiting.clients(() -> AFUNIXSocket.connectTo(address()), () -> server.accept().close());
    }

    @Test
    @DisplayName("`bind` to the path of a live server")
    void aLiveServerIsReplaced() throws Exception {
        AFUNIXServerSocket live = server();
        AFUNIXServerSocket other = server();
        try (AFUNIXSocket client = AFUNIXSocket.connectTo(address())) {
            other.accept().close();
            assertTrue(client.isConnected());
            assertTrue(live.isBound());
        }
    }

    @Test
    @DisplayName("`bind` to the path of a server that has ended")
    void aStaleSocketIsReplaced() throws Exception {
        Process ended = new ProcessBuilder("python3", "-c",
                "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", address().getPath()).start();
        assertEquals(0, ended.waitFor());
        assertTrue(Files.exists(folder.resolve("sock")));
        server();
    }

    @Test
    @DisplayName("`bind` to the path of a regular file")
    void aFileIsReplaced() throws Exception {
        Files.writeString(folder.resolve("sock"), "content");
        server();
        assertFalse(Files.isRegularFile(folder.resolve("sock")));
    }

    @Test
    @DisplayName("mode of the socket file")
    void everybodyMayConnect() throws Exception {
        server();
        assertEquals(0666, Machine.mode(folder.resolve("sock")));
    }

    @Test
    @DisplayName("paths longer than `sun_path` (107 bytes)")
    void noLongPaths() {
        Path path = folder.resolve("x".repeat(120));
        assertThrows(SocketException.class, () -> AFUNIXSocketAddress.of(path));
    }

    @Test
    @DisplayName("abstract names")
    void abstractNames() throws Exception {
        AFUNIXSocketAddress name = AFUNIXSocketAddress.inAbstractNamespace(folder.toString());
        AFUNIXServerSocket server = closing(AFUNIXServerSocket.newInstance());
        server.bind(name);
        assertTrue(closing(AFUNIXSocket.connectTo(name)).isConnected());
    }

    @Test
    @DisplayName("a listening socket from the parent process")
    void inherited() throws Exception {
        Inherited.check("junixsocket", folder.resolve("sock"));
    }
}
