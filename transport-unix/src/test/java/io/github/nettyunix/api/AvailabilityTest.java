package io.github.nettyunix.api;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.socket.NativeLibrary;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

@Tag("once")
@Tag("user")
class AvailabilityTest {
    /** Prints what a user's program would see, in a JVM of its own. */
    public static final class Program {
        public static void main(String[] arguments) {
            System.out.println(UnixTransport.isAvailable());
            Throwable cause = UnixTransport.unavailabilityCause();
            System.out.println(cause == null ? null : cause.getMessage());
            for (SocketType type : SocketType.values()) {
                System.out.println(type + " " + UnixTransport.supports(type));
            }
        }
    }

    /**
     * Adopts its standard input before anything else has loaded the library. Prints the size, and whether it is closed.
     */
    public static final class Adopting {
        public static void main(String[] arguments) throws Exception {
            UnixFileDescriptor fd = UnixFileDescriptor.adopt(0);
            System.out.println(fd.size());
            fd.release();
            System.out.println(Files.exists(Path.of("/proc/self/fd/0")) ? "open" : "closed");
        }
    }

    /** Prints the mode of the unpacked library, and whether it loads. */
    public static final class Unpacking {
        public static void main(String[] arguments) throws Exception {
            Throwable cause = NativeLibrary.unavailabilityCause();
            try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
                for (Path file : files.toList()) {
                    System.out.println(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)) + " "
                            + cause);
                }
            }
        }
    }

    @TempDir
    Path folder;

    @Test
    void theTransportIsAvailableHere() {
        UnixTransport.ensureAvailability();
        assertTrue(UnixTransport.isAvailable());
        assertNull(UnixTransport.unavailabilityCause());
        assertTrue(UnixTransport.supports(SocketType.STREAM));
        assertTrue(UnixTransport.supports(SocketType.DATAGRAM));
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aProgramMayBeginByAdoptingADescriptor() throws Exception {
        Path input = Files.writeString(folder.resolve("input"), "bytes");
        Process process = new ProcessBuilder(Jvm.command(Adopting.class)).redirectInput(input.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertEquals("5\nclosed\n", new String(process.getInputStream().readAllBytes(), UTF_8));
        assertEquals(0, process.waitFor());
    }

    @Test
    void aMissingNativeLibraryIsNamedWithWhatToDo() throws Exception {
        Path classes = copyOfClassesWithoutLibrary();
        String[] lines = run(entry -> !entry.endsWith("target/classes"), classes);
        assertEquals("false", lines[0]);
        assertTrue(lines[1].startsWith("META-INF/native/libnettyunix_"), lines[1]);
        assertTrue(lines[1].contains("mvn package"), lines[1]);
        assertEquals("stream false", lines[2]);
        Evidence.of("itself", "a missing native library is named with what to do");
    }

    @Test
    void aMissingNettyLibraryIsNamed() throws Exception {
        String[] lines = run(entry -> !entry.contains("netty-transport-native-epoll"));
        assertEquals("false", lines[0]);
        assertTrue(lines[1].contains("netty-transport-native-epoll"), lines[1]);
    }

    @Test
    void missingNettyClassesAreNamed() throws Exception {
        String[] lines = run(entry -> !entry.contains("epoll"));
        assertEquals("false", lines[0]);
        assertTrue(lines[1].contains("netty-transport-classes-epoll"), lines[1]);
    }

    @Test
    void aNettyThatIsTooOldIsNamedWithTheVersionThatIsNeeded() throws Exception {
        String[] lines = runWithout("netty-common-", "io/netty/util/internal/RefCnt.class", "4.2.7.Final");
        assertEquals("false", lines[0]);
        assertEquals("Netty 4.2.7.Final is too old: netty-transport-unix needs 4.2.8.Final or later", lines[1]);
        assertEquals("stream false", lines[2]);
    }

    @Test
    void aNettyWithoutIoHandlersIsTooOld() throws Exception {
        assertTrue(runWithout("netty-transport-4", "io/netty/channel/IoHandlerFactory.class", null)[1].endsWith(
                "is too old: netty-transport-unix needs 4.2.8.Final or later"));
    }

    /** Runs with a jar of Netty that lacks a class, as older ones do. */
    private String[] runWithout(String jar, String missing, String version) throws Exception {
        Path original = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator)).map(Path::of)
                .filter(entry -> entry.getFileName().toString().startsWith(jar)).findFirst().orElseThrow();
        Path copy = Files.copy(original, folder.resolve("old.jar"));
        try (FileSystem content = FileSystems.newFileSystem(copy)) {
            Files.delete(content.getPath(missing));
            if (version != null) {
                Path versions = content.getPath("META-INF/io.netty.versions.properties");
                Files.writeString(versions, Files.readString(versions)
                        .replaceAll("(?m)^(netty-common\\.version=).*$", "$1" + version));
            }
        }
        return run(entry -> !entry.equals(original.toString()), copy);
    }

    @Test
    void theClassesOfOtherSelectorsMayBeMissing() throws Exception {
        assertEquals("true", run(entry -> !entry.contains("-kqueue-") && !entry.contains("io_uring"))[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"000", "077", "777"})
    void theUnpackedLibraryIsItsOwnersAloneUnderAnyUmask(String umask) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "umask " + umask + " && exec \"$0\" \"$@\""));
        // A JVM that may not read its own files, such as its performance data, does not start.
        command.addAll(Jvm.command(Unpacking.class, "-XX:-UsePerfData", "-Dio.netty.native.workdir=" + folder,
                "-Dio.netty.native.deleteLibAfterLoading=false"));
        command.add(folder.toString());
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals("rwx------ null\n", output);
        assertEquals(0, process.waitFor());
        assertFalse(hasFiles(folder), "the library is still there");
        Evidence.of("itself", "the native library is unpacked for its owner alone under umask " + umask);
    }

    @Test
    void theUnpackedLibraryIsGoneOnceItIsLoaded() throws Exception {
        Process process = new ProcessBuilder(Jvm.command(Program.class, "-Dio.netty.native.workdir=" + folder))
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        assertTrue(new String(process.getInputStream().readAllBytes(), UTF_8).startsWith("true\n"));
        assertFalse(hasFiles(folder));
    }

    private static boolean hasFiles(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isPresent();
        }
    }

    @Test
    void aNoexecFolderIsExplainedWhereverNettyMentionsIt() {
        UnsatisfiedLinkError failure = new UnsatisfiedLinkError("failed to map segment from shared object");
        failure.addSuppressed(new UnsatisfiedLinkError("check volume for \"noexec\" flag"));
        assertTrue(NativeLibrary.explain(failure, "otherwise").getMessage().contains("-Dio.netty.native.workdir="));
        assertTrue(NativeLibrary.explain(new UnsatisfiedLinkError(), "otherwise").getMessage().startsWith("otherwise"));
    }

    private Path copyOfClassesWithoutLibrary() throws IOException {
        Path from = Path.of("target/classes");
        Path to = folder.resolve("classes");
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (!file.startsWith(from.resolve("META-INF/native"))) {
                    Files.copy(file, to.resolve(from.relativize(file)));
                }
            }
        }
        return to;
    }

    private String[] run(Predicate<String> classPath, Path... more) throws Exception {
        String path = Stream.concat(Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(classPath), Arrays.stream(more).map(Path::toString))
                .collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(Jvm.JAVA, "-cp", path, Program.class.getName())
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output.split("\n");
    }
}
