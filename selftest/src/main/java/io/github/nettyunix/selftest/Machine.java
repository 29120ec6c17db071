package io.github.nettyunix.selftest;

import io.netty.util.Version;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What this machine is, and its limits that matter for sockets. */
final class Machine {
    private static final Pattern LIBRARY = Pattern.compile("/\\S*/(?:libc[.-]|ld-musl-)\\S*");
    private static final Pattern GLIBC = Pattern.compile("stable release version ([0-9.]+[0-9])");
    private static final Pattern OPEN_FILES = Pattern.compile("(?m)^Max open files +(\\S+) +(\\S+)");

    private Machine() {
    }

    static boolean isLinux() {
        return System.getProperty("os.name").equals("Linux");
    }

    /** Returns what the results depend on. */
    static Map<String, String> description() {
        Map<String, String> lines = new LinkedHashMap<>();
        lines.put("system", System.getProperty("os.name") + ' ' + System.getProperty("os.version") + ' '
                + System.getProperty("os.arch"));
        if (isLinux()) {
            lines.put("C library", libc());
        }
        lines.put("JVM", System.getProperty("java.vm.name") + ' ' + System.getProperty("java.version"));
        Version netty = Version.identify().get("netty-common");
        lines.put("Netty", netty == null ? "unknown" : netty.artifactVersion());
        return lines;
    }

    /** Returns the C library that this JVM runs with. */
    private static String libc() {
        Matcher library = LIBRARY.matcher(read(Path.of("/proc/self/maps")));
        if (!library.find()) {
            return "unknown";
        }
        Path file = Path.of(library.group());
        if (file.getFileName().toString().startsWith("ld-musl")) {
            return "musl";
        }
        // Its banner.
        Matcher version = GLIBC.matcher(read(file));
        return version.find() ? "glibc " + version.group(1) : file.toString();
    }

    /** Returns the limits that the system reports. */
    static Map<String, String> limits() {
        Map<String, String> lines = new LinkedHashMap<>();
        Matcher files = OPEN_FILES.matcher(read(Path.of("/proc/self/limits")));
        if (files.find()) {
            lines.put("descriptors of a process (ulimit -n)", files.group(1) + ", at most " + files.group(2));
        }
        Stream.of("core.somaxconn", "core.wmem_default", "core.wmem_max", "core.rmem_default", "core.rmem_max",
                "unix.max_dgram_qlen").forEach(name -> {
                    String value = read(Path.of("/proc/sys/net", name.split("\\."))).strip();
                    if (!value.isEmpty()) {
                        lines.put("net." + name, value);
                    }
                });
        return lines;
    }

    /** Returns the content of a file, one character per byte; nothing if it cannot be read. */
    private static String read(Path file) {
        // Not Files.readString: its first read is of one byte if a file has no size, and these give no second part.
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
