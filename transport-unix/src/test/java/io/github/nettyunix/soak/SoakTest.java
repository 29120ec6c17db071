package io.github.nettyunix.soak;

import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/**
 * Runs {@link Soak} in a JVM of its own, in which nothing else is going on. If {@code nettyunix.soak.long} is true, it
 * takes minutes. If {@code nettyunix.soak.resident} is false, resident memory may grow.
 */
@Tag("once")
@EnabledOnOs(OS.LINUX)
class SoakTest {
    @Test
    @Timeout(3600)
    void whatIsUsedDoesNotGrow() throws Exception {
        List<String> options = new ArrayList<>(List.of("-Xms192m", "-Xmx192m", "-XX:+AlwaysPreTouch"));
        for (String name : List.of("nettyunix.test.selector", "java.library.path", "nettyunix.soak.resident")) {
            if (System.getProperty(name) != null) {
                options.add("-D" + name + "=" + System.getProperty(name));
            }
        }
        List<String> command = Jvm.command(Soak.class, options.toArray(String[]::new));
        command.add(System.getProperty("nettyunix.soak.long", "false"));
        if (System.getProperty("nettyunix.soak.run") != null) {
            command.add(System.getProperty("nettyunix.soak.run"));
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("MALLOC_ARENA_MAX", "1");
        Process soak = builder.start();
        soak.getOutputStream().close();
        String output = new String(soak.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.print(output);
        assertEquals(0, soak.waitFor(), output);
        assertFalse(output.contains("LEAK: "), output);
        Evidence.of("CPython", "killed in traffic, connected again and again, and nothing is left");
    }
}
