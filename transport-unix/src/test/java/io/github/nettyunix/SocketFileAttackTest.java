package io.github.nettyunix;

import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RawSocket;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Another user may write to the folder, and exchanges the new socket for files whose mode he would like to have
 * changed.
 */
@Tag("once")
class SocketFileAttackTest {
    private static final int ROUNDS = Integer.getInteger("attack.rounds", 50);

    /** Renames what comes to a path, and puts a link to a file or the victim's other socket into its place. */
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

    /** Binds again and again, and prints what has happened to its file and its other socket. */
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
                }
            }
            System.out.println(changed + " changed, " + (bound > 0 ? "some" : "none") + " bound");
            System.out.println(failure);
            System.exit(0);
        }

        /** Of the attacked files, which were made with mode 0600 for the group 0 or that of the process. */
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
        List<String> command = new ArrayList<>(List.of("sh", "-c", "umask 022; exec \"$@\"", "sh"));
        if (uid == 0 && proof.equals("sock_diag")) {
            command.addAll(List.of("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"));
        }
        command.addAll(proof.equals("unknown")
                ? Jvm.command(Victim.class, "-Djava.library.path=" + Path.of("target", "like-macos").toAbsolutePath())
                : Jvm.command(Victim.class));
        command.add(folder.toString());
        command.add(Integer.toString(uid == 0 ? 1 : UnixCredentials.ofThisProcess().gid()));
        try (Python attacker = Python.runAsNobody(ATTACKER, folder)) {
            attacker.expect("ready");
            Process victim = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            try (BufferedReader out = victim.inputReader()) {
                String changed = out.readLine();
                String failure = out.readLine();
                // A file that has disappeared altogether needs no mode, so that some are bound in any case.
                assertEquals("0 changed, some bound", proof.equals("unknown") ? changed.replace("none", "some") : changed);
                if (proof.equals("unknown")) {
                    assertTrue(List.of("other users may write to the folder, and whether the file is still the socket's cannot be "
                            + "determined", "another file has taken the socket's place",
                            "there is a file that is no socket").contains(failure), failure);
                }
                assertEquals(0, victim.waitFor());
            } finally {
                victim.destroyForcibly();
            }
        }
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)));
        Proof.of("CPython", "a user who exchanges the new socket for another file gets no mode changed: " + proof);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void modeAndGroupAreSetWhereTheKernelDoesNotSayWhichFileIsOurs(boolean sticky) throws Exception {
        Files.setAttribute(folder, "unix:mode", sticky ? 01777 : 0755);
        List<String> command = new ArrayList<>(List.of("sh", "-c", "umask 077; exec \"$@\"", "sh"));
        command.addAll(Jvm.command(Kept.class, "-Djava.library.path=" + Path.of("target", "like-macos").toAbsolutePath()));
        command.add(folder.resolve("s").toString());
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
            server.config().setOption(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.failIfExists().withMode("0666").keepOnClose());
            server.bind(UnixSocketAddress.of(arguments[0])).sync();
            System.exit(0);
        }
    }
}
