package io.github.nettyunix.examples.cat;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CatTest {
    @TempDir
    private Path folder;

    private String socket() {
        return folder.resolve("cat.sock").toString();
    }

    /** Waits for a peer that listens without reporting it. */
    private void awaitSocket() throws Exception {
        try (Program loop = Program.start("sh", "-c", "until [ -S \"$0\" ]; do sleep 0.01; done", socket())) {
            assertEquals(0, loop.exitValue());
        }
    }

    @Test
    void bothWaysToNetcatUntilBothHaveEnded() throws Exception {
        try (Program nc = Program.start("nc", "-lNU", socket())) {
            awaitSocket();
            try (Program cat = Program.example("cat", socket())) {
                cat.send("from cat\n");
                nc.awaitLine("^from cat$");
                nc.send("from nc\n");
                cat.awaitLine("^from nc$");
                cat.endInput();
                nc.endInput();
                assertEquals(0, cat.exitValue(), cat.output());
                assertEquals(0, nc.exitValue());
            }
        }
        Evidence.of("nc", "cat to nc -lU");
    }

    @Test
    void allInputIsSentToNetcatAlthoughItEndedItsHalfBefore() throws Exception {
        Path sent = folder.resolve("sent");
        Path received = folder.resolve("received");
        byte[] bytes = new byte[8 << 20];
        new Random(1).nextBytes(bytes);
        Files.write(sent, bytes);
        try (Program nc = Program.start("sh", "-c", "exec nc -lNU $0 </dev/null >$1", socket(), received.toString())) {
            awaitSocket();
            try (Program cat = Program.start(new ProcessBuilder(Program.exampleCommand("cat", socket()))
                    .redirectInput(Redirect.from(sent.toFile())))) {
                assertEquals(0, cat.exitValue(), cat.output());
            }
            assertEquals(0, nc.exitValue());
        }
        assertEquals(-1, Files.mismatch(sent, received));
        Evidence.of("nc", "cat of a large file, half closed by the peer");
    }

    @Test
    void listensForOneNetcat() throws Exception {
        try (Program cat = Program.example("cat", "--listen", socket())) {
            cat.awaitLine("listening on " + socket());
            try (Program nc = Program.start("nc", "-NU", socket())) {
                nc.send("from nc\n");
                cat.awaitLine("^from nc$");
                cat.send("from cat\n");
                nc.awaitLine("^from cat$");
                assertFalse(Files.exists(Path.of(socket())), "it still listens");
                cat.endInput();
                nc.endInput();
                assertEquals(0, nc.exitValue());
                assertEquals(0, cat.exitValue(), cat.output());
            }
        }
        Evidence.of("nc", "cat --listen, to nc -U");
    }

    @Test
    void linesAreRecordsForSocat() throws Exception {
        // socat prints the length of each record that it reads.
        try (Program socat = Program.start("socat", "-v", "-t60", "UNIX-LISTEN:" + socket() + ",socktype=5",
                "EXEC:cat")) {
            awaitSocket();
            try (Program cat = Program.example("cat", "--type", "seqpacket", socket())) {
                cat.send("one\nand two\nthe rest").endInput();
                assertEquals(0, cat.exitValue(), cat.output());
                // If it waits for more than two seconds, it reports that.
                assertEquals("one\nand two\nthe rest\n", cat.output()
                        .replaceAll("(?m)^(connecting to|the input has ended).*\n", ""));
            }
            for (int length : new int[] {4, 8, 8}) {
                socat.awaitLine("^> .* length=" + length + " ");
            }
        }
        Evidence.of("socat", "cat of records");
    }

    @Test
    void datagramsFromNetcatAreAnswered() throws Exception {
        try (Program cat = Program.example("cat", "--listen", "--type", "datagram", socket())) {
            cat.awaitLine("listening on " + socket());
            cat.send("waits until somebody was heard\n");
            try (Program nc = Program.start("nc", "-uU", socket())) {
                nc.send("from nc\n");
                cat.awaitLine("^from nc$");
                nc.awaitLine("^waits until somebody was heard$");
                cat.send("from cat\n");
                nc.awaitLine("^from cat$");
            }
        }
        Evidence.of("nc", "cat --listen of datagrams, to nc -uU");
    }

    @Test
    void datagramsAreAnsweredBySocat() throws Exception {
        try (Program socat = Program.start("socat", "UNIX-RECVFROM:" + socket() + ",fork", "EXEC:cat")) {
            awaitSocket();
            try (Program cat = Program.example("cat", "--type", "datagram", "--wait", "60", socket())) {
                cat.send("a datagram\n").endInput();
                cat.awaitLine("^a datagram$");
            }
        }
        Evidence.of("socat", "cat of datagrams");
    }

    @Test
    void whatIsWrongIsSaidInOneLine() throws Exception {
        try (Program missing = Program.example("cat", socket())) {
            assertEquals(1, missing.exitValue());
            assertEquals("cat: connect stream " + socket() + ": ENOENT (No such file or directory)\n",
                    missing.output());
        }
        try (Program usage = Program.example("cat", "--type", "tcp", socket())) {
            assertEquals(2, usage.exitValue());
            usage.awaitLine("Invalid value for option '--type'.*tcp");
        }
        try (Program socat = Program.start("socat", "UNIX-LISTEN:" + socket(), "EXEC:true")) {
            awaitSocket();
            try (Program cat = Program.example("cat", socket())) {
                assertEquals(0, socat.exitValue());
                cat.send("nobody is there\n");
                assertEquals(1, cat.exitValue());
                // The scheduler decides which comes first: the write, or the end of the peer.
                assertTrue(Set.of("cat: write stream " + socket() + ": EPIPE (Broken pipe)\n",
                        "cat: the peer has closed the connection\n").contains(cat.output()), cat.output());
            }
        }
        Evidence.of("socat", "cat to a peer that has gone");
    }
}
