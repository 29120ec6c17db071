package io.github.nettyunix.examples.restart;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;

class HotRestartTest {
    @TempDir
    private Path folder;
    private Path socket;
    private Program server;
    private Program clients;

    @BeforeEach
    void start() throws Exception {
        socket = folder.resolve("served");
        server = Program.example("hot-restart", socket.toString());
        server.awaitLine("^generation 1, pid \\d+: listening on .*served$");
        clients = Program.start("python3", "-u", "src/test/resources/peers/load.py", socket.toString());
        awaitServedBy(1);
    }

    @AfterEach
    void stop() {
        clients.close();
        server.close();
    }

    /** Waits until a server of this generation has responded, and checks that there was no error. */
    private void awaitServedBy(int generation) throws Exception {
        clients.send(generation + "\n");
        clients.awaitLine("^served by \\[.*" + generation + "] problems \\[]$");
    }

    private void replace(int generation) throws Exception {
        try (Program old = server) {
            server = Program.example("hot-restart", socket.toString(), "--replace");
            server.awaitLine("^generation " + generation + ", pid \\d+: listening on .*served$");
            assertEquals(0, old.exitValue(), old::toString);
        }
        awaitServedBy(generation);
    }

    private void endClients() throws Exception {
        clients.endInput();
        clients.awaitLine("^ended, problems \\[]$");
        assertEquals(0, clients.exitValue());
    }

    @Test
    void threeRestartsFailNoRequest() throws Exception {
        Object inode = Files.getAttribute(socket, "unix:ino");
        for (int generation = 2; generation <= 4; generation++) {
            replace(generation);
        }
        endClients();
        assertEquals(inode, Files.getAttribute(socket, "unix:ino"));
        Evidence.of("CPython", "three restarts under load");
    }

    @Test
    void aSuccessorThatFailsChangesNothing() throws Exception {
        for (int confirmed = 0; confirmed <= 1; confirmed++) {
            try (Program failing = Program.start("python3", "src/test/resources/peers/false_successor.py",
                    socket + ".control", String.valueOf(confirmed))) {
                assertEquals(0, failing.exitValue(), failing::toString);
            }
            server.awaitLine("the successor has gone, going on");
            try (Program other = Program.start("python3", "-c", """
                    import socket, sys
                    s = socket.socket(socket.AF_UNIX)
                    s.connect(sys.argv[1])
                    s.sendall(b'hello\\n')
                    print(s.makefile().readline())""", socket.toString())) {
                other.awaitLine("^generation 1, .*: hello$");
            }
        }
        replace(2);
        endClients();
        Evidence.of("CPython", "a successor that fails");
    }
}
