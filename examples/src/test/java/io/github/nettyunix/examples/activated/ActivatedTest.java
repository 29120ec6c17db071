package io.github.nettyunix.examples.activated;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** The first connection or datagram starts the program, and is served like all others. */
class ActivatedTest {
    private static final String DATAGRAM = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(b'')
            s.connect(sys.argv[1])
            s.send(b'hello')
            print(s.recv(100))
            """;

    @TempDir
    private Path folder;

    private Program start(String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of("systemd-socket-activate"));
        command.addAll(List.of(options));
        command.addAll(Program.exampleCommand("activated"));
        Program systemd = Program.start(command.toArray(String[]::new));
        systemd.awaitLine("^Listening on " + folder);
        return systemd;
    }

    private static void answers(String expected, String... client) throws Exception {
        try (Program program = Program.start(client)) {
            if (client[0].equals("socat")) {
                program.send("hello\n").endInput();
            }
            assertEquals(0, program.exitValue(), program.output());
            assertEquals(expected, program.output());
        }
    }

    @Test
    void streamsThatHaveNames() throws Exception {
        Path one = folder.resolve("one");
        Path other = folder.resolve("other");
        try (Program systemd = start("-l", one.toString(), "-l", other.toString(), "--fdname=one:other")) {
            answers("hello\n", "socat", "-t60", "-", "UNIX-CONNECT:" + other);
            answers("hello\n", "socat", "-t60", "-", "UNIX-CONNECT:" + one);
            systemd.awaitLine("^socket one: UnixServerStreamChannel at " + one);
            systemd.awaitLine("^socket other: UnixServerStreamChannel at " + other);
        }
        Evidence.of("systemd-socket-activate", "activated, two streams with names");
    }

    @Test
    void seqpacket() throws Exception {
        Path socket = folder.resolve("socket");
        try (Program systemd = start("--seqpacket", "-l", socket.toString())) {
            answers("hello\n", "socat", "-t60", "-", "UNIX-CONNECT:" + socket + ",socktype=5");
            systemd.awaitLine("^socket unknown: UnixServerSeqpacketChannel at " + socket);
        }
        Evidence.of("systemd-socket-activate", "activated, seqpacket");
    }

    @Test
    void datagram() throws Exception {
        Path socket = folder.resolve("socket");
        try (Program systemd = start("--datagram", "-l", socket.toString())) {
            answers("b'hello'\n", "python3", "-c", DATAGRAM, socket.toString());
            systemd.awaitLine("^socket unknown: UnixDatagramChannel at " + socket);
        }
        Evidence.of("systemd-socket-activate", "activated, datagram");
    }

    @Test
    void oneConnectionAProgram() throws Exception {
        Path socket = folder.resolve("socket");
        try (Program systemd = start("--accept", "-l", socket.toString())) {
            answers("hello\n", "socat", "-t60", "-", "UNIX-CONNECT:" + socket);
            systemd.awaitLine("^socket unknown: UnixStreamChannel at " + socket);
            systemd.awaitLine("^Child \\d+ died with code 0$");
        }
        Evidence.of("systemd-socket-activate", "activated, with --accept");
    }

    @Test
    void nobodyHasPassedASocket() throws Exception {
        try (Program alone = Program.example("activated")) {
            assertEquals(2, alone.exitValue());
            alone.awaitLine("^no socket was passed to this process");
        }
    }
}
