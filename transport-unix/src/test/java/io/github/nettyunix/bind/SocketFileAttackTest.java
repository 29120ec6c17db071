package io.github.nettyunix.bind;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.endpoint.SocketFile;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RawSocket;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Another user may write to the folder, and replaces the new socket by files whose mode they want changed. */
@Tag("once")
@Tag("user")
class SocketFileAttackTest {
    private static final int ROUNDS = Integer.getInteger("attack.rounds", 50);

    /** Renames what appears at a path, and puts a link to a file, or the victim's other socket, in its place. */
    private static final String ATTACKER = """
            folder = sys.argv[1]
            path, aside = os.path.join(folder, "s"), os.path.join(folder, "aside")
            other, secret = os.path.join(folder, "other"), os.path.join(folder, "secret")
            print("ready")
            turn = 0
            while True:
                try:
                    os.rename(path, aside)
                    turn += 1
                    os.rename(other, path) if turn % 2 else os.symlink(secret, path)
                except OSError:
                    pass
            """;

    @TempDir
    private Path folder;

    /** Binds repeatedly, and prints what happened to its file and its other socket. */
    static final class Victim {
        public static void main(String[] arguments) throws Exception {
            UnixTransport.ensureAvailability();
            Path folder = Path.of(arguments[0]);
            Path path = folder.resolve("s");
            Path other = folder.resolve("other");
            int group = Integer.parseInt(arguments[1]);
            SocketFilePolicy policy = SocketFilePolicy.takeOver().withMode("rwxrwxrwx").withGroup(group);
            int changed = 0;
            int bound = 0;
            String failure = "none";
            for (int round = 0; round < ROUNDS; round++) {
                Files.deleteIfExists(path);
                Files.deleteIfExists(other);
                try (RawSocket admin = RawSocket.bound(SocketType.STREAM, other)) {
                    Files.setPosixFilePermissions(other, PosixFilePermissions.fromString("rw-------"));
                    Object inode = Files.getAttribute(other, "unix:ino", LinkOption.NOFOLLOW_LINKS);
                    Channel server = Channels.register(new UnixServerStreamChannel());
                    server.config().setOption(UnixSocketOption.SOCKET_FILE, policy);
                    ChannelFuture bind = server.bind(UnixSocketAddress.of(path)).await();
                    if (bind.isSuccess()) {
                        bound++;
                    } else {
                        failure = bind.cause().getMessage().replaceAll(".*: ", "");
                    }
                    for (Path place : new Path[] {path, other, folder.resolve("aside")}) {
                        changed += isChanged(place, inode);
                    }
                    if (isChanged(folder.resolve("secret"), null) != 0) {
                        System.out.println("the secret file was changed in round " + round);
                        System.exit(0);
                    }
                    server.close().sync();
                } catch (NoSuchFileException e) {
                    // The attacker has moved the administrator's socket before it had its mode.
                }
            }
            System.out.println(changed + " changed, " + (bound > 0 ? "some" : "none") + " bound");
            System.out.println(failure);
            System.exit(0);
        }

        /** Checks the attacked files, which were created with mode 0600 for group 0 or the group of the process. */
        private static int isChanged(Path place, Object inode) {
            try {
                var found = Files.readAttributes(place, "unix:ino,mode", LinkOption.NOFOLLOW_LINKS);
                boolean isVictim = inode == null || inode.equals(found.get("ino"));
                return isVictim && ((int) found.get("mode") & 0777) != 0600 ? 1 : 0;
            } catch (IOException e) {
                return 0;
            }
        }
    }

    /**
     * The kernel says which file is the socket's: to a process with CAP_NET_ADMIN by an ioctl, to others by
     * sock_diag(7). Where it does not say, as in a library that is built as for macOS, nothing is done in a folder like
     * this one.
     */
    @ParameterizedTest
    @ValueSource(strings = {"ioctl", "sock_diag", "unknown"})
    void onlyTheSocketThatWasBoundGetsItsModeAndGroup(String proof) throws Exception {
        int uid = UnixCredentials.ofThisProcess().uid();
        Path secret = Files.writeString(folder.resolve("secret"), "secret");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        int group = uid == 0 ? 1 : UnixCredentials.ofThisProcess().gid();
        List<String> command = victim(proof, Victim.class, "022", folder, group);
        try (Python attacker = Python.runAsNobody(ATTACKER, folder)) {
            attacker.expect("ready");
            Process victim = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            try (BufferedReader out = victim.inputReader()) {
                String changed = out.readLine();
                String failure = out.readLine();
                // A file that has disappeared needs no mode, so that some binds succeed in any case.
                assertEquals("0 changed, some bound", proof.equals("unknown") ? changed.replace("none", "some")
                        : changed);
                if (proof.equals("unknown")) {
                    assertTrue(List.of(
                            "other users may write to the folder, and whether the file is still the socket's cannot be "
                            + "determined", "another file has taken the socket's place",
                            "there is a file that is no socket").contains(failure), failure);
                }
                assertEquals(0, victim.waitFor());
            } finally {
                victim.destroyForcibly();
            }
        }
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)));
        Evidence.of("CPython", "a user who exchanges the new socket for another file gets no mode changed: " + proof);
    }

    /**
     * Binds like a channel does, but another file takes the place of the socket's before the step that sets the mode.
     * Each argument is a case: the folder's mode, its owner, and what takes the place. Prints how each ended, and the
     * modes of that file and of the socket's own.
     */
    static final class Exchanged {
        public static void main(String[] arguments) throws Exception {
            UnixTransport.ensureAvailability();
            for (int i = 1; i < arguments.length; i++) {
                Path folder = Files.createDirectory(Path.of(arguments[0], Integer.toString(i)));
                String[] words = arguments[i].split(" ");
                Files.setAttribute(folder, "unix:mode", Integer.parseInt(words[0], 8));
                if (words[1].equals("other")) {
                    Files.setAttribute(folder, "unix:uid", 1);
                }
                System.out.println(exchange(folder.resolve("s"), folder.resolve("aside"), words[2]));
            }
            System.exit(0);
        }

        private static String exchange(Path path, Path aside, String substitute) throws Exception {
            UnixServerStreamChannel server = Channels.register(new UnixServerStreamChannel());
            SocketFile file = new SocketFile(SocketType.STREAM, UnixSocketAddress.of(path),
                    SocketFilePolicy.failIfExists().withMode("rwxrwxrwx"));
            file.make(Channels.socket(server));
            Files.move(path, aside);
            if (substitute.equals("file")) {
                Files.createFile(path);
            } else {
                RawSocket.stale(SocketType.STREAM, path);
            }
            Files.setAttribute(path, "unix:mode", 0600);
            if (substitute.equals("foreign")) {
                Files.setAttribute(path, "unix:uid", 1);
            }
            String result = "protected";
            try {
                file.protect(Channels.socket(server));
            } catch (IOException e) {
                result = e.getMessage().replaceFirst(".*/s: ", "");
            }
            server.close().sync();
            return result + ", " + mode(path) + " " + mode(aside);
        }

        private static String mode(Path file) throws IOException {
            return PosixFilePermissions.toString(Files.getPosixFilePermissions(file, LinkOption.NOFOLLOW_LINKS));
        }
    }

    /** Does deterministically what the attacker above needs luck for. */
    @Test
    void fileThatTookTheSocketsPlaceKeepsItsMode() throws Exception {
        boolean root = UnixCredentials.ofThisProcess().uid() == 0;
        String kept = ", rw------- rwx------";
        String taken = "EADDRINUSE (Address already in use): another file has taken the socket's place" + kept;
        String unknown =
                "EPERM (Operation not permitted): other users may write to the folder, and whether the file is "
                + "still the socket's cannot be determined" + kept;
        assertEquals(List.of(taken, taken, taken), exchanged("sock_diag",
                "755 own socket", "777 own socket", "777 own file"));
        assertEquals(List.of(unknown, unknown, unknown, taken, taken), exchanged("unknown",
                "777 own socket", "775 own socket", "757 own socket", "755 own file", "1777 own file"));
        if (root) {
            assertEquals(List.of("protected, rw------- rwxrwxrwx"), exchanged("ioctl", "777 own socket"));
            assertEquals(List.of(unknown, unknown), exchanged("unknown", "755 other socket", "755 own foreign"));
        }
        Evidence.of("itself", "a file that took the place of a socket that was just bound keeps its mode");
    }

    /** @param proof how the kernel says which file is the socket's, see above */
    private List<String> exchanged(String proof, String... cases) throws Exception {
        Path ground = Files.createTempDirectory(folder, proof);
        List<String> command = victim(proof, Exchanged.class, "077", ground);
        command.addAll(List.of(cases));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader()) {
            List<String> results = out.lines().toList();
            assertEquals(0, process.waitFor());
            return results;
        } finally {
            process.destroyForcibly();
        }
    }

    /** Returns a command that runs a class with the capabilities and the library that leave it only this proof. */
    private static List<String> victim(String proof, Class<?> main, String umask, Object... arguments) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "umask " + umask + "; exec \"$@\"", "sh"));
        if (UnixCredentials.ofThisProcess().uid() == 0 && proof.equals("sock_diag")) {
            command.addAll(List.of("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"));
        }
        command.addAll(proof.equals("unknown")
                ? Jvm.command(main, "-Djava.library.path=" + Path.of("target", "like-macos").toAbsolutePath())
                : Jvm.command(main));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        return command;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void modeAndGroupAreSetWhereTheKernelDoesNotSayWhichFileIsOurs(boolean sticky) throws Exception {
        Files.setAttribute(folder, "unix:mode", sticky ? 01777 : 0755);
        List<String> command = victim("unknown", Kept.class, "077", folder.resolve("s"));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            assertEquals(0, process.waitFor());
        } finally {
            process.destroyForcibly();
        }
        assertEquals("rw-rw-rw-", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("s"))));
    }

    /** Binds and leaves the file. */
    static final class Kept {
        public static void main(String[] arguments) throws Exception {
            Channel server = Channels.register(new UnixServerStreamChannel());
            server.config().setOption(UnixSocketOption.SOCKET_FILE,
                    SocketFilePolicy.failIfExists().withMode("0666").keepOnClose());
            server.bind(UnixSocketAddress.of(arguments[0])).sync();
            System.exit(0);
        }
    }
}
