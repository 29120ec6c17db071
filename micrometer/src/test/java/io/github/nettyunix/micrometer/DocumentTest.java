package io.github.nettyunix.micrometer;

import io.github.nettyunix.UnixMetrics;
import io.github.nettyunix.UnixTransport;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** docs/observability.md says what is true. */
class DocumentTest {
    private static final String DOCUMENT = contentOf(Path.of("../docs/observability.md"));
    private static final Pattern PROGRAM = Pattern.compile("^```java\n([^`]*?io\\.micrometer[^`]*)^```\n",
            Pattern.MULTILINE);

    @TempDir
    private Path folder;

    private static String contentOf(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theTableHasEveryCounterAndEveryMeter() throws InterruptedException {
        for (Method method : UnixMetrics.class.getDeclaredMethods()) {
            if (method.getReturnType() == long.class) {
                assertTrue(DOCUMENT.contains('`' + method.getName() + '`'), method::getName);
            }
        }
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        new UnixEventLoopMetrics(group).bindTo(registry);
        for (Meter meter : registry.getMeters()) {
            String name = '`' + meter.getId().getName();
            assertTrue(DOCUMENT.contains(name + '`') || DOCUMENT.contains(name + '{'), name);
        }
        assertEquals(17, registry.getMeters().size());
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }

    @Test
    void curlScrapesTheProgram() throws Exception {
        Matcher program = PROGRAM.matcher(DOCUMENT);
        assertTrue(program.find());
        Path source = Files.writeString(folder.resolve("ServeMetrics.java"), program.group(1));
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        String classPath = System.getProperty("java.class.path");
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, messages, messages, "-nowarn", "-cp", classPath,
                "-d", folder.toString(), source.toString()), messages::toString);
        Path socket = folder.resolve("metrics.sock");
        Process server = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
                folder + File.pathSeparator + classPath, "ServeMetrics", socket.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader output = server.inputReader()) {
            assertEquals("listening", output.readLine());
            List<String> lines = Curl.get(socket);
            assertTrue(lines.contains("netty_unix_connections_accepted_total{event_loop=\"0\"} 1.0"), lines::toString);
            assertTrue(Curl.get(socket).contains("netty_unix_connections_accepted_total{event_loop=\"0\"} 2.0"));
            Curl.proved("scrapes the program of docs/observability.md");
        } finally {
            server.destroyForcibly().waitFor();
        }
    }
}
