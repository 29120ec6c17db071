package io.github.nettyunix.examples.echo;

import io.github.nettyunix.examples.testing.Program;
import io.github.nettyunix.examples.testing.Proof;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

class EchoTest {
    @TempDir
    private Path folder;

    @Test
    void socatGetsBackWhatItSends() throws Exception {
        Path socket = folder.resolve("echo.sock");
        try (Program echo = Program.example("echo", socket.toString())) {
            echo.awaitLine("listening on " + socket);
            try (Program socat = Program.start("socat", "-", "UNIX-CONNECT:" + socket)) {
                socat.send("hello\n").awaitLine("^hello$");
                socat.endInput();
                assertEquals(0, socat.exitValue());
            }
            echo.terminate();
            assertEquals(143, echo.exitValue(), "SIGTERM");
            assertFalse(socket.toFile().exists(), "the socket file is left behind");
        }
        Proof.of("socat", "echo over a stream");
    }
}
