package io.github.nettyunix.examples.restart;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;

class HotRestartPatienceTest {
    @TempDir
    private Path folder;

    @Test
    void aClientThatNeverReadsDoesNotHoldTheOldServer() throws Exception {
        String socket = folder.resolve("served").toString();
        try (Program old = Program.example("hot-restart", socket, "--patience", "1")) {
            old.awaitLine("listening on");
            try (Program client = Program.start("python3", "-u", "src/test/resources/peers/never_reads.py", socket);
                    Program idle = Program.start("nc", "-NU", socket)) {
                idle.send("before\n").awaitLine("^generation 1, pid \\d+: before$");
                client.awaitLine("^reads nothing$");
                try (Program successor = Program.example("hot-restart", socket, "--replace")) {
                    successor.awaitLine("^generation 2, pid \\d+: listening on");
                    old.awaitLine("^generation 1, pid \\d+: closed 1 connections whose clients do not read$");
                    old.awaitLine("^generation 1, pid \\d+: handed over 1 connections$");
                    assertEquals(0, old.exitValue(), old::toString);
                    client.awaitLine("^is closed$");
                    idle.send("after\n").awaitLine("^generation 2, pid \\d+: after$");
                }
            }
        }
        Evidence.of("CPython", "a restart in spite of a client that reads nothing");
    }
}
