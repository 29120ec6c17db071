package io.github.nettyunix.testing;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;

/** How many descriptors this process, and those that it starts, may have (RLIMIT_NOFILE). */
public final class DescriptorLimit {
    private DescriptorLimit() {
    }

    /** Returns the limit, after it was raised to what is needed if this process has the privilege. */
    public static int raise(int needed) throws IOException, InterruptedException {
        if (limit() < needed) {
            long self = ProcessHandle.current().pid();
            new ProcessBuilder("prlimit", "--pid=" + self, "--nofile=" + needed)
                    .redirectOutput(Redirect.DISCARD).redirectError(Redirect.DISCARD).start().waitFor();
        }
        return limit();
    }

    /**
     * A line of /proc/self/limits: "Max open files  1024  4096  files". The JVM has raised the first number to the
     * second.
     */
    private static int limit() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/limits")).stream()
                .filter(line -> line.startsWith("Max open files"))
                .map(line -> line.split(" +")[3]).mapToInt(limit -> limit.equals("unlimited") ? Integer.MAX_VALUE
                        : Integer.parseInt(limit)).findAny().orElseThrow();
    }
}
