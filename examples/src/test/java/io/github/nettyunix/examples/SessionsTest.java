package io.github.nettyunix.examples;

import io.github.nettyunix.examples.testing.Program;
import io.github.nettyunix.examples.testing.Session;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The sessions in examples/README.md: in folders of the test's own, they print what the document shows. */
class SessionsTest {
    private static final Pattern SESSION = Pattern.compile("^## ([\\w-]+)$.*?^```\n(.*?)^```$",
            Pattern.MULTILINE | Pattern.DOTALL);
    /** These need a daemon or a bus of the system. They are tested elsewhere, with their own. */
    private static final Set<String> ELSEWHERE = Set.of("broker", "clamd", "dbus");

    @TestFactory
    Stream<DynamicTest> sessionsPrintWhatTheReadmeSays(@TempDir Path folder) throws IOException {
        return SESSION.matcher(Files.readString(Path.of("README.md"))).results()
                .filter(found -> !ELSEWHERE.contains(found.group(1)))
                .map(found -> DynamicTest.dynamicTest(found.group(1),
                        () -> run(found.group(2), Files.createTempDirectory(folder, "s"))));
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
        Session.type(session.replace("8080", port).replace("/tmp/", folder + "/").replace("/srv/", folder + "/"),
                folder);
    }
}
