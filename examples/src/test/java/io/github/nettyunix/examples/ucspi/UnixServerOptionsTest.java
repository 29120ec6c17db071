package io.github.nettyunix.examples.ucspi;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.OtherUser;
import io.github.nettyunix.examples.testing.OtherUser.ByRoot;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Our unixserver and that of ucspi-unix with the same options: clients and the file system see the same. */
class UnixServerOptionsTest {
    private static final Map<String, String> ENVIRONMENT = Map.of("GID", "12", "SOCKET_UID", "33", "SOCKET_GID", "34");

    @TempDir
    private Path folder;
    private Path socket;

    @BeforeEach
    void letTheProgramsUserRemoveTheFile() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        socket = folder.resolve("ucspi.sock");
    }

    private Program start(List<String> server, String options) {
        List<String> command = new ArrayList<>(server);
        command.addAll(List.of(options.split(" ")));
        command.addAll(List.of(socket.toString(), "sh", "-c", "id; echo $UNIXLOCALUID $UNIXLOCALGID"));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(ENVIRONMENT);
        builder.environment().remove("UID");
        return Program.start(builder);
    }

    private void awaitListening() {
        assertTimeoutPreemptively(Duration.ofSeconds(120), () -> {
            while (Files.readAllLines(Path.of("/proc/net/unix")).stream()
                    .noneMatch(line -> line.contains(" 00010000 ") && line.endsWith(" " + socket))) {
                LockSupport.parkNanos(1_000_000);
            }
        });
    }

    /** Returns the file, what a client receives, whether the file is left behind, and the messages. */
    private String observe(List<String> server, String options) throws Exception {
        try (Program unixserver = start(server, options)) {
            awaitListening();
            String answer;
            try (Program client = Program.start("nc", "-NU", socket.toString())) {
                client.endInput();
                assertEquals(0, client.exitValue());
                answer = client.output();
            }
            Map<String, Object> file = Files.readAttributes(socket, "unix:mode,uid,gid", LinkOption.NOFOLLOW_LINKS);
            if (options.contains("-v")) {
                unixserver.awaitLine("unixserver: end ");
                unixserver.awaitLine("unixserver: status: 0/");
            }
            unixserver.terminate().exitValue();
            String messages = unixserver.output().lines().filter(line -> line.startsWith("unixserver: "))
                    .map(line -> line.replaceAll("\\d{3,}", "N")).sorted().collect(Collectors.joining("\n"));
            // Connecting requires write permission; the other bits of a socket's mode have no effect.
            return String.format("mode %03o owner %s:%s%n%sleft behind: %s%n%s", (int) file.get("mode") & 0222,
                    file.get("uid"), file.get("gid"), answer, Files.deleteIfExists(socket), messages);
        }
    }

    private String compare(String options) throws Exception {
        String theirs = observe(List.of("unixserver"), options + " --");
        String ours = observe(Program.exampleCommand("unixserver"), options);
        assertEquals(theirs, ours);
        return ours;
    }

    @ParameterizedTest
    @ValueSource(strings = {"-v", "-q", "-q -v -Q", "-d", "-d -D", "-m 022", "-p 0600 -m 022", "-c 3 -b 5 -v",
            "-B welcome"})
    void optionsDoTheSame(String options) throws Exception {
        compare(options);
        Evidence.of("ucspi-unix", "unixserver " + options);
    }

    @ByRoot
    @ParameterizedTest
    @ValueSource(strings = {"-u 65534 -v", "-g 12", "-u 65534 -g 12", "-o 33 -r 34", "-O -p 640", "-o 33 -m 007"})
    void usersAndGroupsAreTheSame(String options) throws Exception {
        compare(options);
        Evidence.of("ucspi-unix", "unixserver " + options);
    }

    @Test
    void theUserOfTheEnvironmentMustBeThere() throws Exception {
        try (Program unixserver = start(Program.exampleCommand("unixserver"), "-U")) {
            assertEquals(2, unixserver.exitValue());
            unixserver.awaitLine("^\\$UID is not a number: null$");
        }
    }

    @ByRoot
    @Test
    void aUserThatIsNotPermittedEndsTheServer() throws Exception {
        OtherUser nobody = new OtherUser(OtherUser.NOBODY, Files.createDirectory(folder.resolve("classes")));
        try (Program unixserver = nobody.example("unixserver", "-u", "0", socket.toString(), "true")) {
            assertEquals(1, unixserver.exitValue());
            unixserver.awaitLine("^unixserver: programs cannot be started as user 0, group 65534$");
            assertTrue(Files.notExists(socket));
        }
    }
}
