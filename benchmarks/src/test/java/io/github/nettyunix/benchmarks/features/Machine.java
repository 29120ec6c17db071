package io.github.nettyunix.benchmarks.features;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What the kernel says about this process and about files. */
final class Machine {
    /** Of the flags in {@code fdinfo}. */
    static final int O_CLOEXEC = 02000000;
    static final int O_NONBLOCK = 04000;

    private Machine() {
    }

    /** Returns the flags of this process's descriptors of a file, by their numbers. */
    static Map<Integer, Integer> flagsOf(Path file) throws IOException {
        Map<Integer, Integer> flags = new TreeMap<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                try {
                    if (Files.readSymbolicLink(descriptor).equals(file.toRealPath())) {
                        Path info = Path.of("/proc/self/fdinfo").resolve(descriptor.getFileName());
                        flags.put(Integer.valueOf(descriptor.getFileName().toString()), octal(info, "flags:"));
                    }
                } catch (NoSuchFileException e) {
                    // Closed since it was listed.
                }
            }
        }
        return flags;
    }

    static int umask() throws IOException {
        return octal(Path.of("/proc/self/status"), "Umask:");
    }

    static int mode(Path path) throws IOException {
        return (int) Files.getAttribute(path, "unix:mode") & 0777;
    }

    static int uid() throws IOException {
        return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    static String userName() throws IOException {
        return Files.getOwner(Path.of("/proc/self")).getName();
    }

    private static int octal(Path file, String label) throws IOException {
        return Files.readAllLines(file).stream().filter(line -> line.startsWith(label)).findFirst()
                .map(line -> Integer.parseInt(line.substring(label.length()).strip(), 8)).orElseThrow();
    }
}
