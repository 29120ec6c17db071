package io.github.nettyunix.examples;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The Java in the documentation compiles. Programs, which have a {@code main}, also run, and print what the {@code
 * text} block after them says. Other snippets are compiled inside {@link #AROUND_FRAGMENT}. Those on frameworks are
 * parts of the module that has the frameworks, which compares them; the one on Micrometer is run by its module, and
 * those of the tutorial by TutorialTest.
 */
class DocumentationTest {
    private static final Path ROOT = Path.of("..");
    /** Far more than any of them takes, even on a busy machine. */
    private static final long TIMEOUT_SECONDS = 120;

    private static final Pattern SNIPPET = Pattern.compile("^```java\n(.*?)^```\n(?:```text\n(.*?)^```\n)?",
            Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern PROGRAM = Pattern.compile("^public class (\\w+)", Pattern.MULTILINE);

    /** A single handler instance serves one connection, unless it is sharable; a second connection would be refused. */
    private static final Pattern ONE_HANDLER_FOR_ALL = Pattern.compile(
            "childHandler\\(new (?!ChannelInitializer\\b)\\w+");

    private static final String AROUND_FRAGMENT = """
            import io.github.nettyunix.*;
            import io.github.nettyunix.handler.*;
            import io.github.nettyunix.process.*;
            import io.netty.bootstrap.*;
            import io.netty.buffer.*;
            import io.netty.channel.*;
            import io.netty.channel.unix.*;
            import io.netty.handler.logging.*;
            import java.nio.channels.FileChannel;
            import java.nio.file.*;
            import java.util.*;
            class Fragment {
                void run(EventLoopGroup group, ChannelInitializer<Channel> initializer, Channel channel,
                        ChannelHandlerContext ctx, UnixSocketAddress address, UnixFileDescriptor fd, ByteBuf content,
                        UnixMessage message, Throwable cause) throws Exception {
                    %s
                }
            }
            """;

    private record Snippet(String title, String code, String output) {
        String className() {
            Matcher program = PROGRAM.matcher(code);
            return program.find() ? program.group(1) : "Fragment";
        }

        boolean isProgram() {
            return code.contains("public static void main");
        }
    }

    @TestFactory
    @Execution(ExecutionMode.CONCURRENT)
    Stream<DynamicTest> javaInTheDocumentationCompilesAndRuns(@TempDir Path folder) throws IOException {
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            List<Path> documents = Stream.concat(Stream.of(ROOT.resolve("README.md")), docs.sorted()).toList();
            return documents.stream().filter(file -> file.toString().endsWith(".md"))
                    .filter(file -> !file.endsWith("frameworks.md") && !file.endsWith("tutorial.md"))
                    .flatMap(DocumentationTest::snippets).filter(snippet -> !snippet.code.contains("io.micrometer"))
                    .map(snippet -> DynamicTest.dynamicTest(snippet.title, () -> check(snippet,
                            Files.createTempDirectory(folder, "snippet"))));
        }
    }

    private static Stream<Snippet> snippets(Path document) {
        String text = contentOf(document);
        return SNIPPET.matcher(text).results().map(found -> new Snippet(
                document.getFileName() + ":" + (1 + text.substring(0, found.start()).lines().count()),
                found.group(1), found.group(2)));
    }

    private static void check(Snippet snippet, Path folder) throws Exception {
        assertFalse(ONE_HANDLER_FOR_ALL.matcher(snippet.code).find(),
                "one handler for all connections: " + snippet.code);
        Path source = folder.resolve(snippet.className() + ".java");
        Files.writeString(source, snippet.isProgram() ? snippet.code : AROUND_FRAGMENT.formatted(snippet.code));
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        String classPath = System.getProperty("java.class.path");
        int status = ToolProvider.getSystemJavaCompiler().run(null, messages, messages, "-nowarn",
                "-cp", classPath, "-d", folder.toString(), source.toString());
        assertEquals(0, status, messages::toString);
        if (snippet.isProgram()) {
            Path errors = folder.resolve("errors");
            String output = run(snippet.className(), folder + File.pathSeparator + classPath, folder.resolve("output"),
                    errors);
            // A JVM may report the options that it has picked up on its standard error.
            assertFalse((output + contentOf(errors)).contains("LEAK"), () -> contentOf(errors));
            assertEquals(snippet.output, output, () -> contentOf(errors));
        }
    }

    static String contentOf(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String run(String program, String classPath, Path output, Path errors) throws Exception {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m",
                "-Dio.netty.leakDetection.level=paranoid",
                "-Djava.io.tmpdir=" + output.getParent(), "-cp", classPath, program)
                .redirectError(errors.toFile()).redirectOutput(output.toFile()).start();
        try {
            assertTrue(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS),
                    () -> program + " does not end: " + contentOf(output) + contentOf(errors));
            return Files.readString(output, StandardCharsets.UTF_8);
        } finally {
            process.destroyForcibly();
        }
    }
}
