package io.github.nettyunix.examples;

import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

/** A server in the background of a shell that has no chance to end it. {@code scripts/check-start} tests the script. */
class ShellTest {
    @Test
    void aServerEndsWithTheShellThatStartedIt(@TempDir Path folder) throws Exception {
        Path socket = folder.resolve("echo.sock");
        List<String> command = new ArrayList<>(List.of("bash", "-c",
                "JDK_JAVA_OPTIONS=-Dexamples.parent=$$ \"$@\" & read wait", "shell"));
        command.addAll(Program.exampleCommand("echo", socket.toString()));
        Program shell = Program.start(command.toArray(new String[0]));
        List<ProcessHandle> server = List.of();
        try {
            shell.awaitLine("listening on");
            server = shell.process().descendants().toList();
            shell.process().destroyForcibly();
            // The server is the last that has its standard output.
            assertTimeoutPreemptively(Duration.ofSeconds(120), shell::exitValue);
            assertFalse(Files.exists(socket), "the socket file is left behind");
        } finally {
            server.forEach(ProcessHandle::destroyForcibly);
            shell.close();
        }
    }
}
