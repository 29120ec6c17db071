package io.github.nettyunix.api;

import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * A program written for Netty's domain channels works the same with the classes that docs/migration.md replaces them
 * by.
 */
@Tag("once")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class MigrationTest {
    /**
     * A line of the table: {@code | `EpollDomainSocketChannel`, `KQueueDomainSocketChannel` | `UnixStreamChannel` |}.
     */
    private static final Pattern EXCHANGED = Pattern.compile("^\\| `(Epoll\\w+Channel)`.* \\| `(Unix\\w+Channel)` \\|$",
            Pattern.MULTILINE);

    @TempDir
    private Path folder;

    @Test
    void programForNettysChannelsRunsWithTheClassesExchanged() throws Exception {
        String program = read("/DomainEcho.java");
        List<String> expected = List.of("one", "two", "at the server: true", "three from the server: true",
                "four from the server: true");
        assertEquals(expected, run(program));
        String exchanged = "import io.github.nettyunix.*;\n" + program;
        for (MatchResult line : EXCHANGED.matcher(Files.readString(Path.of("..", "docs", "migration.md"))).results()
                .toList()) {
            exchanged = exchanged.replaceAll("\\b" + line.group(1) + "\\b", line.group(2));
        }
        assertEquals(0, Pattern.compile("Epoll\\w+Channel").matcher(exchanged).results().count(), exchanged);
        assertEquals(expected, run(exchanged));
        Evidence.of("itself", "a program for Netty's domain channels runs after its classes are exchanged");
    }

    private static String read(String resource) throws IOException {
        try (var in = MigrationTest.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private List<?> run(String program) throws Exception {
        Path source = Files.writeString(folder.resolve("DomainEcho.java"), program);
        assertEquals(0, ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-cp", System.getProperty("java.class.path"), "-proc:none", source.toString()));
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            return (List<?>) loader.loadClass("DomainEcho").getMethod("run", String.class)
                    .invoke(null, folder.toString());
        }
    }
}
