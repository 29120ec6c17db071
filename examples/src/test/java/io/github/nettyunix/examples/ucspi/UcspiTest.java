package io.github.nettyunix.examples.ucspi;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/** Our programs and those of ucspi-unix, each as client and as server. */
class UcspiTest {
    /**
     * What a program must find in its environment, with its own pid as {@code $$}. Debian's unixclient takes options
     * among the program's arguments for its own.
     */
    private static final String CHECK = """
            [ "$PROTO" = UNIX ] && [ "$UNIXLOCALPID" = $$ ] &&
            [ "$UNIXLOCALUID $UNIXLOCALGID" = "$(id -u) $(id -g)" ] &&
            [ "$UNIXREMOTEEUID $UNIXREMOTEEGID" = "$(id -u) $(id -g)" ] && kill -0 "$UNIXREMOTEPID" &&
            [ "$UNIXLOCALPATH" = "$1" ] || { env; exit 9; } >&2
            """;

    @TempDir
    private Path folder;
    private String socket;
    private String server;
    private String client;

    @BeforeEach
    void writePrograms() throws IOException {
        socket = folder.resolve("ucspi.sock").toString();
        server = folder.resolve("server.sh").toString();
        Files.writeString(Path.of(server), CHECK + "echo hello; read line; echo \"server got $line\"");
        client = folder.resolve("client.sh").toString();
        Files.writeString(Path.of(client), CHECK + "echo from client >&7; cat <&6; exit 3");
    }

    private Program startTheirServer() throws Exception {
        Program unixserver = Program.start("unixserver", "-v", "--", socket, "sh", server, socket);
        unixserver.awaitLine("status: 0/10");
        try (Program loop = Program.start("sh", "-c", "until [ -S \"$0\" ]; do sleep 0.01; done", socket)) {
            assertEquals(0, loop.exitValue());
        }
        return unixserver;
    }

    @Test
    void ourServerAndTheirClients() throws Exception {
        try (Program unixserver = Program.example("unixserver", "-c", "1", "-v", socket, "sh", server, socket)) {
            unixserver.awaitLine("listening on " + socket);
            try (Program unixclient = Program.start("unixclient", socket, "sh", client, socket)) {
                assertEquals(3, unixclient.exitValue(), unixclient.output());
                assertEquals("hello\nserver got from client\n", unixclient.output());
            }
            try (Program first = Program.start("nc", "-NU", socket)) {
                first.awaitLine("^hello$");
                try (Program second = Program.start("nc", "-NU", socket)) {
                    second.send("second\n");
                    first.send("first\n").awaitLine("^server got first$");
                    second.awaitLine("^server got second$");
                }
            }
            // In sequence.
            for (int i = 0; i < 3; i++) {
                unixserver.awaitLine("status: 1/1");
                unixserver.awaitLine("status: 0/1");
            }
            assertFalse(unixserver.output().contains("2/1"), unixserver.output());
        }
        Evidence.of("ucspi-unix", "unixclient to our unixserver");
    }

    @Test
    void ourClientsAndTheirServer() throws Exception {
        try (Program unixserver = startTheirServer()) {
            try (Program unixclient = Program.example("unixclient", socket, "sh", client, socket)) {
                assertEquals(3, unixclient.exitValue(), unixclient.output());
                assertEquals("hello\nserver got from client\n", unixclient.output());
            }
            try (Program unixcat = Program.example("unixcat", socket)) {
                unixcat.awaitLine("^hello$");
            }
        }
        Evidence.of("ucspi-unix", "our unixclient and unixcat to unixserver");
    }
}
