package io.github.nettyunix.examples.broker;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.Running;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.OtherUser;
import io.github.nettyunix.examples.testing.OtherUser.ByRoot;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The broker runs as root and serves user nobody, which may open none of the files. Without root, one user runs both.
 */
class BrokerTest {
    private static final int STRANGER = 12345;
    private static final String ME = System.getProperty("user.name");

    private static final String ASK = """
            import os, socket, sys
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            client.connect(sys.argv[1])
            client.send('\\0'.join(sys.argv[2:]).encode())
            answer, fds, flags, address = socket.recv_fds(client, 65536, 253)
            print(answer.decode(), [os.read(fd, 100) for fd in fds])
            """;

    @TempDir
    private static Path folder;
    private static Path socket;
    private static Path granted;
    private static Path below;
    private static Path secret;
    private static Program broker;

    @BeforeAll
    static void serve() throws Exception {
        OtherUser.letIn(folder);
        socket = folder.resolve("broker.sock");
        granted = write("granted", "what was granted");
        secret = write("secret", "what was not granted");
        Path granting = Files.createDirectory(folder.resolve("folder"));
        below = write("folder/below", "what is below a granted folder");
        Files.createSymbolicLink(granting.resolve("link"), secret);
        broker = Program.example("broker", "serve", socket.toString(), "--allow", "nobody," + ME,
                granted.toString(), granting.toString());
        broker.awaitLine("listening on " + socket);
    }

    private static Path write(String name, String content) throws IOException {
        Path file = Files.createFile(folder.resolve(name),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, content + '\n');
    }

    @AfterAll
    static void stop() throws Exception {
        try (Program serving = broker) {
            serving.awaitClosed(folder.toString());
            serving.terminate();
            assertEquals(143, serving.exitValue(), "SIGTERM");
            assertFalse(Files.exists(socket), "the socket file is left behind");
        }
    }

    @Test
    @ByRoot
    void aUserWhoMayNotOpenTheFileReadsOnlyItByDescriptor(@TempDir Path copies) throws Exception {
        OtherUser nobody = new OtherUser(OtherUser.NOBODY, copies);
        try (Program cat = OtherUser.start(OtherUser.NOBODY, "cat", granted.toString())) {
            cat.awaitLine("Permission denied");
        }
        try (Program open = nobody.example("broker", "open", socket.toString(), granted.toString(), below.toString())) {
            open.awaitLine("^what was granted$");
            open.awaitLine("^what is below a granted folder$");
            assertEquals(0, open.exitValue());
        }
        try (Program open = nobody.example("broker", "open", socket.toString(), granted.toString(),
                secret.toString())) {
            open.awaitLine("refused: " + secret + ": no such file is granted");
            assertEquals(1, open.exitValue());
            assertFalse(open.output().contains("what was"), open::output);
        }
        broker.awaitLine("user " + OtherUser.NOBODY + ": granted: " + granted + " " + below);
    }

    @Test
    @ByRoot
    void refusedUsersGetAnError() throws Exception {
        try (Program python = OtherUser.start(STRANGER, "/usr/bin/python3", "-c", ASK, socket.toString(),
                granted.toString())) {
            python.awaitLine("refused: user " + STRANGER + " may not ask \\[]");
            assertEquals(0, python.exitValue());
        }
    }

    @Test
    void cPythonGetsSeveralFilesWithOneMessage() throws Exception {
        assertEquals("granted [b'what was granted\\n', b'what is below a granted folder\\n']\n", ask(granted, below));
        Evidence.of("CPython", "files from the broker, by descriptor");
    }

    @Test
    void whatLeadsOutOfAGrantedFolderIsRefused() throws Exception {
        Path link = below.resolveSibling("link");
        assertEquals("refused: " + link + ": no such file is granted []\n", ask(link));
        Path up = below.resolveSibling("..").resolve("secret");
        assertEquals("refused: " + up + ": no such file is granted []\n", ask(up));
        assertEquals("refused: " + below.getParent() + ": no such file is granted []\n", ask(below.getParent()));
        assertEquals("refused: granted: no such file is granted []\n", ask(Path.of("granted")));
    }

    @Test
    void whatIsExchangedWhileItIsOpenedIsNotHandedOut(@TempDir Path own) throws Exception {
        Path mine = Files.createDirectory(own.resolve("mine"));
        Path notMine = Files.writeString(own.resolve("secret"), "not mine");
        GrantedPaths files = new GrantedPaths(List.of(mine));
        Path asked = mine.resolve("asked");
        Path other = mine.resolve("other");
        AtomicBoolean enough = new AtomicBoolean();
        CompletableFuture<Void> exchanging = CompletableFuture.runAsync(() -> {
            try {
                while (!enough.get()) {
                    Files.writeString(other, "mine");
                    Files.move(other, asked, StandardCopyOption.ATOMIC_MOVE);
                    Files.createSymbolicLink(other, notMine);
                    Files.move(other, asked, StandardCopyOption.ATOMIC_MOVE);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        try {
            for (int i = 0; i < 10_000; i++) {
                try (UnixFileDescriptor file = files.open(asked.toString())) {
                    assertEquals(4, file.size(), "the secret was opened");
                } catch (IOException e) {
                    assertTrue(e.getMessage().startsWith(asked.toString()), e::getMessage);
                }
            }
        } finally {
            enough.set(true);
            exchanging.get();
        }
    }

    private static String ask(Path... paths) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("python3", "-c", ASK, socket.toString()));
        Stream.of(paths).map(Path::toString).forEach(command::add);
        try (Program python = Program.start(new ProcessBuilder(command))) {
            assertEquals(0, python.exitValue(), python::output);
            return python.output();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STREAM", "DATAGRAM"})
    void otherTypesOfSocketsDoAsWell(SocketType type, @TempDir Path own) throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(own.resolve("other.sock"));
        UnixSocketAddress answers = UnixSocketAddress.of(own.resolve("own.sock"));
        try (Running running = new Running()) {
            BrokerServer.bind(running.group(), type, address, who -> true, new GrantedPaths(List.of(granted))).sync();
            List<UnixFileDescriptor> files = BrokerClient.open(running.group(), type, address, answers,
                    List.of(granted.toString(), granted.toString()));
            for (UnixFileDescriptor file : files) {
                assertEquals(Files.size(granted), file.size());
                file.release();
            }
            IOException refusal = assertThrows(IOException.class,
                    () -> BrokerClient.open(running.group(), type, address, answers,
                    List.of(granted.toString(), secret.toString())));
            assertEquals("refused: " + secret + ": no such file is granted", refusal.getMessage());
        }
    }
}
