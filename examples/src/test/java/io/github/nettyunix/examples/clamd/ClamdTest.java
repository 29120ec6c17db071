package io.github.nettyunix.examples.clamd;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.OtherUser;
import io.github.nettyunix.examples.testing.OtherUser.ByRoot;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * ClamAV's own daemon, with one signature. If root runs the test, the daemon runs as user clamav, which may open none
 * of the files.
 */
class ClamdTest {
    private static final String MARKER = "what is looked for here and is harmless";
    private static final boolean ROOT = System.getProperty("user.name").equals("root");

    @TempDir
    private static Path folder;
    private static Path socket;
    private static Program clamd;

    @BeforeAll
    static void startClamd() throws Exception {
        OtherUser.letIn(folder);
        Path signatures = Files.createDirectory(folder.resolve("signatures"));
        Files.writeString(signatures.resolve("own.ndb"),
                "Example.Marker:0:*:" + HexFormat.of().formatHex(MARKER.getBytes(StandardCharsets.US_ASCII)) + '\n');
        Files.setPosixFilePermissions(signatures, PosixFilePermissions.fromString("rwxr-xr-x"));
        // A folder where clamd may write.
        Path own = Files.createDirectory(folder.resolve("own"));
        Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxrwxrwx"));
        socket = own.resolve("clamd.sock");
        Path configuration = Files.writeString(folder.resolve("clamd.conf"), String.join("\n",
                "LocalSocket " + socket, "DatabaseDirectory " + signatures, "TemporaryDirectory " + own,
                "Foreground yes", ROOT ? "User clamav" : "", ""));
        clamd = Program.start("clamd", "--config-file=" + configuration);
        // The last line that clamd prints before it serves.
        clamd.awaitLine("Self checking every");
    }

    @AfterAll
    static void stopClamd() throws Exception {
        try (Program stopped = clamd.terminate()) {
            assertEquals(0, stopped.exitValue(), stopped::output);
        }
    }

    private static Path secret(Path file, String content) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, content);
    }

    private static Program scan(Object... arguments) {
        List<String> all = new ArrayList<>(List.of("clamd", "--socket", socket.toString()));
        for (Object argument : arguments) {
            all.add(argument.toString());
        }
        return Program.example(all.toArray(new String[0]));
    }

    @Test
    @ByRoot
    void clamdScansByDescriptorWhatItMayNotOpen(@TempDir Path files) throws Exception {
        OtherUser.letIn(files);
        Path file = secret(files.resolve("file"), "before " + MARKER + " after");
        try (Program python = Program.start("python3", "-c", """
                import socket, sys
                clamd = socket.socket(socket.AF_UNIX)
                clamd.connect(sys.argv[1])
                clamd.send(f'nSCAN {sys.argv[2]}\\n'.encode())
                print(clamd.recv(1000).decode())
                """, socket.toString(), file.toString())) {
            python.awaitLine("Access denied. ERROR");
        }
        try (Program scan = scan(file)) {
            scan.awaitLine("^" + file + ": Example.Marker.UNOFFICIAL FOUND$");
            assertEquals(1, scan.exitValue());
        }
        Evidence.of("clamd", "a file that it may not open, by descriptor");
    }

    @Test
    void manyFilesInFoldersAreEachAnsweredOnceInOneSession(@TempDir Path files) throws Exception {
        Set<String> expected = new TreeSet<>();
        Path below = Files.createDirectories(files.resolve("below").resolve("that"));
        for (int i = 0; i < 300; i++) {
            boolean bad = i % 7 == 0;
            Path file = secret((i % 2 == 0 ? files : below).resolve("file " + i), bad ? MARKER + i : "harmless " + i);
            expected.add(file + (bad ? ": Example.Marker.UNOFFICIAL FOUND" : ": OK"));
        }
        Files.createSymbolicLink(files.resolve("link"), below);
        try (Program scan = scan(files)) {
            assertEquals(1, scan.exitValue(), scan::toString);
            assertTrue(scan.output().contains("\n257 OK, 43 FOUND, 0 ERROR\n"), scan::toString);
            // Its other output depends on how long it takes.
            List<String> results = new ArrayList<>(scan.output().lines().filter(line -> line.startsWith(files + "/"))
                    .toList());
            List<String> missing = new ArrayList<>(expected);
            results.forEach(missing::remove);
            assertEquals(List.of(), missing, "files that clamd has said nothing of");
            expected.forEach(results::remove);
            assertEquals(List.of(), results, "results of no file, or a second one");
        }
    }

    @Test
    void theExitStatusShowsWhetherAllFilesWereClean(@TempDir Path files) throws Exception {
        Path file = secret(files.resolve("file"), "harmless");
        try (Program scan = scan(file)) {
            scan.awaitLine("^" + file + ": OK$");
            assertEquals(0, scan.exitValue());
        }
        Path missing = files.resolve("missing");
        try (Program scan = scan(file, missing, "/dev/null")) {
            assertEquals(1, scan.exitValue());
            assertTrue(scan.output().contains(missing + ": open " + missing
                    + ": ENOENT (No such file or directory) ERROR\n"), scan::toString);
            assertTrue(scan.output().contains("/dev/null: not a regular file ERROR\n"), scan::toString);
            assertTrue(scan.output().contains(file + ": OK\n"), scan::toString);
        }
    }

    @Test
    void whatADaemonDidNotAnswerBeforeItEndedIsAnError(@TempDir Path files) throws Exception {
        Path first = secret(files.resolve("first"), "harmless");
        Path second = secret(files.resolve("second"), "harmless");
        try (Program python = Program.start("python3", "-uc", """
                import socket, sys
                server = socket.socket(socket.AF_UNIX)
                server.bind(sys.argv[1])
                server.listen()
                print('listening')
                clamd = server.accept()[0]
                fds = []
                while len(fds) < 2:
                    fds += socket.recv_fds(clamd, 1000, 2)[1]
                clamd.send(b'2: fd[1]: OK\\0')
                """, files.resolve("clamd.sock").toString())) {
            python.awaitLine("listening");
            try (Program scan = Program.example("clamd", "--socket", files.resolve("clamd.sock").toString(),
                    first.toString(), second.toString())) {
                scan.awaitLine("^" + second + ": OK$");
                scan.awaitLine("^" + first + ": the connection to clamd is closed ERROR$");
                assertEquals(1, scan.exitValue());
            }
        }
    }
}
