package io.github.nettyunix.examples;

import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The sessions in examples/README.md: the commands, run in folders of the test's own, print what the document shows.
 * Numbers may differ, as may the order of lines from several programs.
 */
class SessionsTest {
    private static final Pattern SESSION = Pattern.compile("^## ([\\w-]+)$.*?^```\n(.*?)^```$",
            Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern BLOCK = Pattern.compile("^```(\\w*)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern SOCKET = Pattern.compile("/\\S+?\\.sock");
    /** These need a daemon or a bus of the system. They are tested elsewhere, with their own. */
    private static final Set<String> ELSEWHERE = Set.of("broker", "clamd", "dbus");

    @TestFactory
    Stream<DynamicTest> sessionsPrintWhatTheReadmeSays(@TempDir Path folder) throws IOException {
        return SESSION.matcher(Files.readString(Path.of("README.md"))).results()
                .filter(found -> !ELSEWHERE.contains(found.group(1)))
                .map(found -> DynamicTest.dynamicTest(found.group(1),
                        () -> run(found.group(2), Files.createTempDirectory(folder, "s"))));
    }

    /** The files of the tutorial, and all of its sessions in one shell. */
    @Test
    void theTutorialPrintsWhatItSays(@TempDir Path folder) throws Exception {
        String tutorial = Files.readString(Path.of("../docs/tutorial.md"));
        for (MatchResult found : BLOCK.matcher(tutorial).results().toList()) {
            if (found.group(1).equals("java")) {
                String code = found.group(2);
                Matcher name = Pattern.compile("^public class (\\w+)", Pattern.MULTILINE).matcher(code);
                assertTrue(name.find());
                Files.writeString(folder.resolve(name.group(1) + ".java"), code.replace("/tmp/", folder + "/"));
            }
        }
        String sessions = BLOCK.matcher(tutorial).results().filter(found -> found.group(1).isEmpty())
                .map(found -> found.group(2)).collect(Collectors.joining());
        type(sessions.replace("/tmp/", folder + "/").replace("lib/*", System.getProperty("java.class.path")), folder);
    }

    private static void run(String session, Path folder) throws Exception {
        // systemd-socket-activate starts "examples/run", so that must be a program.
        Path program = Files.createDirectories(folder.resolve("examples")).resolve("run");
        Files.writeString(program, "#!/bin/sh\nexec '" + String.join("' '", Program.exampleCommand()) + "' \"$@\"\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(Files.createDirectories(folder.resolve("www")).resolve("index.html"), "<p>Welcome\n");
        Files.writeString(folder.resolve("README.md"), "a file\n");
        // A port that is free on every system that runs the test.
        String port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = String.valueOf(free.getLocalPort());
        }
        type(session.replace("8080", port).replace("/tmp/", folder + "/").replace("/srv/", folder + "/"), folder);
    }

    /** Types the commands into a shell, and checks what they print. */
    private static void type(String session, Path folder) throws Exception {
        List<String> lines = session.lines().toList();
        ProcessBuilder builder = new ProcessBuilder("bash").directory(folder.toFile());
        try (Program shell = Program.start(builder)) {
            for (int i = 0; i < lines.size();) {
                String command = lines.get(i++);
                assertTrue(command.matches("[$#] .*"), () -> "not a command: " + command);
                List<Pattern> expected = new ArrayList<>();
                for (; i < lines.size() && !lines.get(i).matches("[$#] .*"); i++) {
                    expected.add(pattern(lines.get(i)));
                }
                for (String needed : List.of("systemd-socket-activate", "systemd-notify", "socat", "nc", "curl",
                        "redis-server", "logger")) {
                    if (command.matches(".*\\b" + needed + " .*")) {
                        Program.path(needed);
                    }
                }
                shell.send(command.substring(2) + "\n");
                shell.awaitLines(expected);
                Matcher socket = SOCKET.matcher(command);
                if (command.endsWith("&") && socket.find()) {
                    shell.awaitFile(Path.of(socket.group()));
                }
            }
        }
    }

    /** Returns a pattern of what the line looks like in any run: a date, process ids, lengths. */
    private static Pattern pattern(String line) {
        if (line.endsWith(" UTC 2026")) {
            return Pattern.compile("^\\w+ \\w+ +\\d+ \\d\\d:\\d\\d:\\d\\d UTC \\d+$");
        }
        if (line.matches("\".*\"")) {
            // redis-cli adds quotes only on terminals.
            return Pattern.compile("^\"?" + Pattern.quote(line.substring(1, line.length() - 1)) + "\"?$");
        }
        return Pattern.compile("^" + Pattern.quote(line).replaceAll("\\d+", "\\\\E\\\\d+\\\\Q") + "$");
    }
}
