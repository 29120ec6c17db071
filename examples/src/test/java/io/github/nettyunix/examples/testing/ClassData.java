package io.github.nettyunix.examples.testing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * The class path of the examples, and a class-data archive of it as {@code examples/run} has: a JVM starts in half the
 * time. An archive needs jars, while the classes of this build may be in folders. The first JVM of a test run makes
 * both.
 */
final class ClassData {
    /** The class path: jars only, without the tests. */
    static final String CLASS_PATH;
    /** What a JVM needs to use the archive. It starts without, and says nothing, if it cannot. */
    static final List<String> OPTIONS;

    private static final Path FOLDER = Path.of("target", "class-data").toAbsolutePath();

    static {
        try {
            Files.createDirectories(FOLDER);
            try (FileChannel channel = FileChannel.open(FOLDER.resolve("lock"), StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE); FileLock ignored = channel.lock()) {
                List<String> jars = new ArrayList<>();
                for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                    if (!entry.endsWith("test-classes")) {
                        jars.add(jar(Path.of(entry)).toString());
                    }
                }
                CLASS_PATH = String.join(File.pathSeparator, jars);
                Path archive = archive(jars);
                OPTIONS = Files.size(archive) == 0 ? List.of()
                        : List.of("-XX:SharedArchiveFile=" + archive, "-Xlog:disable");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private ClassData() {
    }

    /** Returns a jar with what is in a folder. */
    private static Path jar(Path entry) throws IOException {
        if (!Files.isDirectory(entry)) {
            return entry;
        }
        Path jar = FOLDER.resolve(entry.toString().substring(1).replace(File.separatorChar, '-') + ".jar");
        try (Stream<Path> content = Files.walk(entry)) {
            if (Files.exists(jar) && content.map(ClassData::age).allMatch(time -> time.compareTo(age(jar)) < 0)) {
                return jar;
            }
        }
        Path made = Files.createTempFile(FOLDER, "classes", ".jar");
        if (ToolProvider.findFirst("jar").orElseThrow().run(System.out, System.err, "--create", "--no-compress",
                "--file", made.toString(), "-C", entry.toString(), ".") != 0) {
            throw new AssertionError("no jar of " + entry);
        }
        return Files.move(made, jar, StandardCopyOption.ATOMIC_MOVE);
    }

    private static FileTime age(Path path) {
        try {
            return Files.getLastModifiedTime(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the archive of these jars for this JVM, or an empty file if none can be made. */
    private static Path archive(List<String> jars) throws IOException, InterruptedException {
        StringBuilder of = new StringBuilder(System.getProperty("java.home") + Runtime.version());
        jars.forEach(jar -> of.append('\n').append(jar).append(age(Path.of(jar))));
        Path archive = FOLDER.resolve(Integer.toHexString(of.toString().hashCode()) + ".jsa");
        if (!Files.exists(archive)) {
            ProcessBuilder script = new ProcessBuilder("../scripts/class-data", archive.toString(), CLASS_PATH);
            script.environment().put("JAVA_HOME", System.getProperty("java.home"));
            script.redirectErrorStream(true).redirectOutput(FOLDER.resolve("archive.log").toFile());
            Process making = script.start();
            making.getOutputStream().close();
            if (making.waitFor() != 0 && !Files.exists(archive)) {
                Files.createFile(archive);
            }
        }
        return archive;
    }
}
