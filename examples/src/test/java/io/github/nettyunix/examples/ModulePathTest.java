package io.github.nettyunix.examples;

import io.github.nettyunix.examples.testing.Evidence;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * What README says about the module path: a user's module compiles against the compile-time dependencies only, and
 * runs.
 */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason =
        "does not apply: README names the modules of Linux x86_64")
class ModulePathTest {
    private static final Predicate<String> RUNTIME_ONLY = entry -> entry.contains("-native-epoll-")
            || entry.contains("-native-kqueue-");

    @TempDir
    private Path folder;

    private static String modulePath(Predicate<String> entries) {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.contains("transport-unix")
                        || Path.of(entry).getFileName().toString().startsWith("netty-"))
                .filter(entries).collect(Collectors.joining(File.pathSeparator));
    }

    private static String find(String text, String pattern) {
        Matcher found = Pattern.compile(pattern, Pattern.DOTALL | Pattern.MULTILINE).matcher(text);
        assertTrue(found.find(), () -> "README does not have " + pattern);
        return found.group(1);
    }

    @Test
    void theModuleInTheReadmeCompilesAndRuns() throws Exception {
        String readme = Files.readString(Path.of("..", "README.md"));
        Path declaration = Files.writeString(folder.resolve("module-info.java"),
                find(readme, "^ *(module com\\.example\\.app \\{.*?\\n *\\})"));
        Path program = Files.writeString(Files.createDirectories(folder.resolve("app")).resolve("Main.java"), """
                package app;
                public class Main {
                    public static void main(String[] args) {
                        io.github.nettyunix.UnixTransport.ensureAvailability();
                        System.out.println(io.github.nettyunix.UnixTransport.isAvailable());
                    }
                }
                """);
        Path classes = folder.resolve("classes");
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, messages, messages, "--module-path",
                modulePath(RUNTIME_ONLY.negate()), "-d", classes.toString(), declaration.toString(),
                program.toString()), messages::toString);

        Path errors = folder.resolve("errors");
        Process process = new ProcessBuilder(List.of(System.getProperty("java.home") + "/bin/java",
                "--module-path", modulePath(entry -> true) + File.pathSeparator + classes,
                "--add-modules", find(readme, "--add-modules ([\\w.]+)"),
                "--enable-native-access=" + find(readme, "--enable-native-access=(io\\.[\\w.,]+)"), "--module",
                "com.example.app/app.Main"))
                .redirectError(errors.toFile()).start();
        assertEquals("true\n", new String(process.getInputStream().readAllBytes()),
                () -> DocumentationTest.contentOf(errors));
        assertEquals(0, process.waitFor());
        assertFalse(Files.readString(errors).contains("WARNING"), () -> DocumentationTest.contentOf(errors));
        Evidence.of("itself", "a user's module on the module path");
    }
}
