package io.github.nettyunix.examples.echo;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

class EchoTest {
    /** Sends records, the second one empty and the third one with a descriptor, and prints what comes back. */
    private static final String RECORDS = """
            import os, socket, sys
            type, name = sys.argv[1:]
            s = socket.socket(socket.AF_UNIX, getattr(socket, type))
            if type == 'SOCK_DGRAM':
                s.bind(b'')
            s.connect(name.replace('@', '\\0'))
            read, write = os.pipe()
            s.send(b'one')
            s.send(b'')
            socket.send_fds(s, [b'three'], [write])
            os.close(write)
            for i in range(3):
                data, fds, flags, sender = socket.recv_fds(s, 100, 10)
                print(data, len(fds))
            os.write(fds[0], b'through the descriptor that came back')
            print(os.read(read, 100))
            """;

    /**
     * Sends, ends its half, and only then reads. With some of these lengths, the server still holds data when it reads
     * the end of the stream, and must not close then.
     */
    private static final String FINISHES_FIRST = """
            import select, socket, sys
            for length in range(160000, 320000, 16000):
                s = socket.socket(socket.AF_UNIX)
                s.connect(sys.argv[1])
                s.sendall(b'x' * length)
                s.shutdown(socket.SHUT_WR)
                closed = select.poll()
                closed.register(s, select.POLLHUP)
                closed.poll(50)
                received = 0
                while data := s.recv(65536):
                    received += len(data)
                if received != length:
                    print('of', length, 'bytes', received)
            """;

    @TempDir
    private Path folder;

    @Test
    void everythingIsEchoedToAClientThatReadsOnlyAtTheEnd() throws Exception {
        Path socket = folder.resolve("echo.sock");
        try (Program echo = Program.example("echo", socket.toString())) {
            echo.awaitLine("listening on " + socket);
            try (Program socat = Program.start("socat", "-", "UNIX-CONNECT:" + socket)) {
                socat.send("hello\n").awaitLine("^hello$");
                socat.endInput();
                assertEquals(0, socat.exitValue());
            }
            try (Program python = Program.start("python3", "-c", FINISHES_FIRST, socket.toString())) {
                assertEquals(0, python.exitValue(), python.output());
                assertEquals("", python.output());
            }
            echo.terminate();
            assertEquals(143, echo.exitValue(), "SIGTERM");
            assertFalse(socket.toFile().exists(), "the socket file is left behind");
        }
        Evidence.of("socat", "echo over a stream");
        Evidence.of("CPython", "echo over a stream, half closed");
    }

    @Test
    void recordsAndDescriptorsComeBack() throws Exception {
        echoesRecords("SOCK_SEQPACKET", "seqpacket", folder.resolve("echo.sock").toString());
        echoesRecords("SOCK_DGRAM", "datagram", "@" + folder);
    }

    private static void echoesRecords(String pythonType, String type, String name) throws Exception {
        try (Program echo = Program.example("echo", "--type", type, name)) {
            echo.awaitLine("listening on " + name);
            try (Program python = Program.start("python3", "-c", RECORDS, pythonType, name)) {
                assertEquals(0, python.exitValue(), python.output());
                assertEquals("""
                        b'one' 0
                        b'' 0
                        b'three' 1
                        b'through the descriptor that came back'
                        """, python.output());
            }
        }
        Evidence.of("CPython", "echo of records and descriptors, " + type);
    }
}
