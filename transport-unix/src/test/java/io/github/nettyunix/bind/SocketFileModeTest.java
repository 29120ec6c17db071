package io.github.nettyunix.bind;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.netty.channel.Channel;
import io.netty.util.internal.PlatformDependent;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The mode of a socket file is the one that was asked for, whatever the umask. */
@Tag("once")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class SocketFileModeTest {
    private static final List<String> MODES = List.of("rw-rw----", "rw-------", "rwxrwxrwx", "rw-rw-rw-", "---------",
            "-w--w--w-");

    @TempDir
    private Path folder;

    private static String bind(SocketType type, Path path, SocketFilePolicy policy) throws Exception {
        Channel channel = Channels.newBindable(type);
        channel.config().setOption(UnixSocketOption.SOCKET_FILE, policy);
        Channels.register(channel).bind(UnixSocketAddress.of(path)).sync();
        String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
        channel.close().sync();
        return mode;
    }

    /** Binds sockets in a folder and prints, for each, its type, the requested mode and the actual mode. */
    static final class Binder {
        public static void main(String[] arguments) throws Exception {
            Path path = Path.of(arguments[0], "s");
            for (SocketType type : SocketType.values()) {
                System.out.println(type + " default " + bind(type, path, SocketFilePolicy.replaceStale()));
                for (String mode : MODES) {
                    System.out.println(type + " " + mode + " "
                            + bind(type, path, SocketFilePolicy.takeOver().withMode(mode)));
                }
            }
            System.exit(0);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"000", "022", "077", "777"})
    void modeIsExactUnderAnyUmask(String umask) throws Exception {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "umask " + umask + " && exec \"$0\" \"$@\""));
        // A JVM that may not read its own files, such as its performance data, does not start. Nor can Netty load a
        // library that it may not read after unpacking it: it finds this one unpacked.
        command.addAll(Jvm.command(Binder.class, "-XX:-UsePerfData", "-Djava.library.path=" + unpackNettyLibrary()));
        command.add(folder.toString());
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String byDefault = umask.equals("000") ? "rwxrwxrwx" : umask.equals("022") ? "rwxr-xr-x"
                : umask.equals("077") ? "rwx------" : "---------";
        try (BufferedReader out = process.inputReader()) {
            for (SocketType type : SocketType.values()) {
                assertEquals(type + " default " + byDefault, out.readLine());
                for (String mode : MODES) {
                    assertEquals(type + " " + mode + " " + mode, out.readLine());
                }
            }
            assertEquals(0, process.waitFor());
        } finally {
            process.destroyForcibly();
            process.outputWriter().close();
            process.errorReader().close();
        }
        Evidence.of("itself", "the mode of a socket file is exact under umask " + umask);
    }

    private Path unpackNettyLibrary() throws IOException {
        String name = "libnetty_transport_native_epoll_" + PlatformDependent.normalizedArch() + ".so";
        Path libraries = Files.createDirectory(folder.resolve("libraries"));
        try (InputStream library = getClass().getResourceAsStream("/META-INF/native/" + name)) {
            Files.copy(library, libraries.resolve(name));
        }
        return libraries;
    }

    /** Another process checks the file all the time while it appears and disappears. */
    @Test
    void thereIsNoMomentAtWhichMoreIsAllowed() throws Exception {
        Path path = folder.resolve("s");
        String script = """
                import time
                modes, times, there, end = set(), 0, False, time.monotonic() + 15
                while times < int(sys.argv[2]) and time.monotonic() < end:
                    try:
                        modes.add(oct(os.lstat(sys.argv[1]).st_mode & 0o777))
                        times += not there
                        there = True
                    except FileNotFoundError:
                        there = False
                print(*modes)
                """;
        try (Python watcher = Python.run(script, path, 500)) {
            CompletableFuture<String> modes = CompletableFuture.supplyAsync(() -> assertDoesNotThrow(watcher::line));
            while (!modes.isDone()) {
                bind(SocketType.STREAM, path, SocketFilePolicy.failIfExists().withMode("rw-------"));
            }
            assertEquals("0o600", modes.get());
            watcher.succeed();
        }
        Evidence.of("CPython", "a socket file is never seen with a mode that was not asked for");
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-r-----", "rwxrwxrwx"})
    void modeHoldsForAReplacedFileToo(String mode) throws Exception {
        for (SocketType type : SocketType.values()) {
            Path path = folder.resolve(type.toString());
            bind(type, path, SocketFilePolicy.failIfExists().withMode("rw-------").keepOnClose());
            assertEquals(mode, bind(type, path, SocketFilePolicy.replaceStale().withMode(mode)));
        }
    }

    @Test
    void modeCanBeOctal() throws Exception {
        for (String octal : List.of("0660", "660", "000", "0777", "0620")) {
            String mode = PosixFilePermissions.toString(PosixFilePermissions.fromString(
                    bind(SocketType.STREAM, folder.resolve("s"), SocketFilePolicy.replaceStale().withMode(octal))));
            assertEquals(SocketFilePolicy.replaceStale().withMode(mode),
                    SocketFilePolicy.replaceStale().withMode(octal));
            assertEquals(Integer.parseInt(octal, 8), SocketFilePolicy.replaceStale().withMode(mode).mode().getAsInt());
        }
    }

    @Test
    void whatIsNoModeIsRefused() {
        for (String wrong : new String[] {"rw", "4755", "04755", "0o660", "0680", "66", "rwsr-xr-x", "", "u=rw"}) {
            IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                    () -> SocketFilePolicy.replaceStale().withMode(wrong));
            assertEquals("not the mode of a socket file: \"" + wrong
                    + "\"; write \"rw-rw----\" or \"0660\", for example",
                    refused.getMessage());
        }
        assertTrue(SocketFilePolicy.takeOver().withMode("rw-rw----").keepOnClose().toString().contains("0660"));
    }
}
