package loading;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** The jars that tests put together. */
final class Jars {
    static final String WORKS = "available, stream text+1, seqpacket text+1";
    /** The classes of {@link Probe}. */
    static final Path PROBE = Path.of("target", "classes").toAbsolutePath();

    private static final long TIMEOUT_SECONDS = 120;
    private static final List<Path> CLASS_PATH = Arrays.stream(System.getProperty("java.class.path")
            .split(File.pathSeparator)).map(Path::of).toList();

    private Jars() {
    }

    private static List<Path> on(List<Path> paths, String pattern) {
        return paths.stream().filter(path -> path.toString().matches(pattern)).toList();
    }

    /** Netty, as it comes with the library. */
    static List<Path> netty() {
        return on(CLASS_PATH, ".*/io/netty/.*\\.jar");
    }

    /** Another version of Netty, which pom.xml names. */
    static List<Path> netty(String version) throws IOException {
        try (Stream<Path> copies = Files.list(Path.of("target", "netty"))) {
            return on(copies.toList(), ".*-" + System.getProperty(version).replace(".", "\\.") + "\\b.*\\.jar");
        }
    }

    /** The library. */
    static Path transport() {
        return on(CLASS_PATH, ".*/netty-transport-unix-[0-9][^/]*\\.jar").get(0);
    }

    static Path springBootLoader() {
        return on(CLASS_PATH, ".*/spring-boot-loader-[^/]*\\.jar").get(0);
    }

    static String path(List<Path> jars, Path... more) {
        return Stream.concat(jars.stream(), Stream.of(more)).map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** A class loader that sees these, and what its parent sees. */
    static URLClassLoader loader(ClassLoader parent, List<Path> jars, Path... more) throws IOException {
        List<URL> urls = new ArrayList<>();
        for (Path jar : Stream.concat(jars.stream(), Stream.of(more)).toList()) {
            urls.add(jar.toUri().toURL());
        }
        return new URLClassLoader(urls.toArray(new URL[0]), parent);
    }

    /** Calls a method of the {@link Probe} in a class loader. */
    static Object probe(Class<?> probe, String method, Object... arguments) throws Exception {
        Class<?>[] types = Arrays.stream(arguments).map(Object::getClass).toArray(Class<?>[]::new);
        return probe.getMethod(method, types).invoke(null, arguments);
    }

    /** The manifest's attributes and entries: pairs of a name and either bytes, or a folder of classes. */
    static Path write(Path jar, String manifest, Object... entries) throws IOException {
        Manifest parsed = new Manifest(new java.io.ByteArrayInputStream(
                ("Manifest-Version: 1.0\n" + manifest).getBytes(StandardCharsets.UTF_8)));
        try (OutputStream file = Files.newOutputStream(jar); JarOutputStream out = new JarOutputStream(file, parsed)) {
            // Spring Boot reads only jars that are not compressed.
            out.setLevel(0);
            for (int i = 0; i < entries.length; i += 2) {
                if (entries[i + 1] instanceof byte[] bytes) {
                    store(out, (String) entries[i], bytes);
                    continue;
                }
                Path folder = (Path) entries[i + 1];
                if (!entries[i].equals("")) {
                    store(out, (String) entries[i], new byte[0]);
                }
                try (Stream<Path> files = Files.walk(folder)) {
                    for (Path each : files.filter(Files::isRegularFile).toList()) {
                        store(out, entries[i] + folder.relativize(each).toString(), Files.readAllBytes(each));
                    }
                }
            }
        }
        return jar;
    }

    private static void store(JarOutputStream out, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        java.util.zip.CRC32 sum = new java.util.zip.CRC32();
        sum.update(content);
        entry.setCrc(sum.getValue());
        out.putNextEntry(entry);
        out.write(content);
        out.closeEntry();
    }

    /** Runs a JVM, and returns the line that it prints. */
    static String java(String... arguments) throws Exception {
        return run(command(arguments));
    }

    static List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java",
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(List.of(arguments));
        return command;
    }

    static String run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        // A program that does not end fails the test.
        CompletableFuture.delayedExecutor(TIMEOUT_SECONDS, TimeUnit.SECONDS).execute(process::destroyForcibly);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), output);
        return output;
    }
}
