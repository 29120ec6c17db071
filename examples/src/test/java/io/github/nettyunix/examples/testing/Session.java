package io.github.nettyunix.examples.testing;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** A session with a shell that a document shows: commands, which follow a prompt, and what they print. */
public final class Session {
    private static final Pattern SOCKET = Pattern.compile("/\\S+?\\.sock");

    private Session() {
    }

    /**
     * Types the commands into a shell, and checks what they print. Numbers may differ, as may the order of lines from
     * several programs.
     */
    public static void type(String session, Path folder) throws Exception {
        List<String> lines = session.lines().toList();
        ProcessBuilder builder = new ProcessBuilder("bash").directory(folder.toFile());
        // As the examples: no JVM lives long enough for the second compiler.
        builder.environment().put("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
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
