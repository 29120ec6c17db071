package io.github.nettyunix.fire;

import io.github.nettyunix.testing.Jvm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Runs {@link Fire} in a JVM of its own, whose limits and leak detector it changes. {@code nettyunix.fire.seconds} is
 * how long it runs at least, {@code nettyunix.fire.seed} its first case, {@code nettyunix.fire.operations} what to run
 * of that case only, and {@code nettyunix.fire.together} how many cases run at once. If it hangs, it ends itself.
 */
@EnabledOnOs(OS.LINUX)
class FireTest {
    @Test
    @Timeout(value = 1, unit = TimeUnit.DAYS)
    void nothingIsLostOrLeakedUnderFire() throws Exception {
        List<String> options = new ArrayList<>(List.of("-Xmx1g",
                "-Dio.netty.leakDetection.level=paranoid", "-Dio.netty.leakDetection.targetRecords=32",
                "-Dio.netty.customResourceLeakDetector=" + Fire.Detector.class.getName()));
        for (String name : List.of("nettyunix.test.selector", "java.library.path", "nettyunix.fire.together")) {
            if (System.getProperty(name) != null) {
                options.add("-D" + name + "=" + System.getProperty(name));
            }
        }
        List<String> command = Jvm.command(Fire.class, options.toArray(String[]::new));
        command.add(System.getProperty("nettyunix.fire.seconds", "2"));
        command.add(System.getProperty("nettyunix.fire.seed", "1"));
        String operations = System.getProperty("nettyunix.fire.operations");
        if (operations != null) {
            command.add(operations);
        }
        Process fire = new ProcessBuilder(command).redirectErrorStream(true).start();
        fire.getOutputStream().close();
        String output = new String(fire.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.print(output);
        assertEquals(0, fire.waitFor(), output);
    }
}
