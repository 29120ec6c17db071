package io.github.nettyunix.bind;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.Binder;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RawSocket;
import io.netty.channel.Channel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIf;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

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

/** A bind that fails reports the obstacle. */
@Tag("once")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class SocketFileObstacleTest {
    private static final boolean ROOT = UnixCredentials.ofThisProcess().uid() == 0;

    @TempDir
    private Path folder;

    private static String unremovable(Path path, String errno) {
        return "bind stream " + path + ": EADDRINUSE (Address already in use): a stale socket that cannot be removed: "
                + errno;
    }

    private void share(Path shared, int sticky) throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setAttribute(shared, "unix:mode", sticky | 0777);
    }

    /** As in /tmp: everybody can create files there, and remove only their own. */
    @Test
    void staleSocketOfAnotherUserInAStickyFolderCannotBeRemoved() throws Exception {
        Path stale = RawSocket.stale(SocketType.STREAM, folder.resolve("s"));
        Files.setPosixFilePermissions(stale, PosixFilePermissions.fromString("rwxrwxrwx"));
        if (ROOT) {
            share(folder, 01000);
            assertEquals(unremovable(stale, "EPERM"), Binder.run(Jvm.AS_NOBODY, stale));
        } else {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-xr-xr-x"));
            assertEquals(unremovable(stale, "EACCES"), Binder.run(List.of(), stale));
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        assertTrue(Files.exists(stale, LinkOption.NOFOLLOW_LINKS));
        Evidence.of("itself", "a stale socket of another user is named as the reason why bind fails");
    }

    @Test
    @DisabledIf(value = "io.github.nettyunix.testing.Namespaces#isChroot",
            disabledReason = "does not apply: there are no user namespaces in a chroot")
    void staleSocketOnAReadOnlyMountOrThatIsAMountItselfCannotBeRemoved() throws Exception {
        Path stale = RawSocket.stale(SocketType.STREAM, folder.resolve("s"));
        Path other = RawSocket.stale(SocketType.STREAM, folder.resolve("other"));
        List<String> prefix = List.of("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"", folder.toString());
        assertEquals(unremovable(stale, "EROFS"), Binder.run(prefix, stale));
        prefix = List.of("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                "mount --bind \"$0\" \"" + stale + "\" && exec \"$@\"", other.toString());
        assertEquals(unremovable(stale, "EBUSY"), Binder.run(prefix, stale));
        assertTrue(Files.exists(stale, LinkOption.NOFOLLOW_LINKS) && Files.exists(other, LinkOption.NOFOLLOW_LINKS));
        Evidence.of("itself", "a stale socket on a read-only mount is named as the reason why bind fails");
    }

    /** Binds to a stale path with ever fewer free descriptors, and to a free path with none. */
    static final class Exhausted {
        public static void main(String[] arguments) throws Exception {
            Path stale = Path.of(arguments[0]);
            // Loads all classes while there are descriptors.
            List<Channel> servers = new ArrayList<>();
            ChannelPair.failure(newServer(servers).bind(UnixSocketAddress.of("/missing/s")));
            for (int i = 0; i < 2; i++) {
                newServer(servers).bind(UnixSocketAddress.of(RawSocket.stale(SocketType.STREAM, stale))).sync();
                ChannelPair.failure(newServer(servers).bind(UnixSocketAddress.of(stale)));
                servers.get(1 + 2 * i).close().sync();
            }
            RawSocket.stale(SocketType.STREAM, stale);
            Channel last = newServer(servers);
            List<UnixFileDescriptor> all = new ArrayList<>();
            try {
                for (;;) {
                    all.add(UnixFileDescriptor.open(Path.of("/dev/null")));
                }
            } catch (IOException e) {
                System.out.println(((UnixSocketError) e).errnoName());
            }
            System.out.println(last.bind(UnixSocketAddress.of(stale)).await().cause().getMessage());
            Channel free = servers.get(0);
            System.out.println(free.bind(UnixSocketAddress.of(arguments[1])).await().isSuccess());
            for (int i = 0; i < 4; i++) {
                all.remove(0).release();
                var bound = last.bind(UnixSocketAddress.of(stale)).await();
                if (bound.isSuccess()) {
                    System.out.println("bound");
                    break;
                }
                System.out.println(bound.cause().getMessage());
            }
            System.exit(0);
        }

        private static Channel newServer(List<Channel> servers) throws InterruptedException {
            servers.add(Channels.register(new UnixServerStreamChannel()));
            return servers.get(servers.size() - 1);
        }
    }

    @Test
    void socketIsNotCalledLiveWhereThereIsNoDescriptorToTellThat() throws Exception {
        Path stale = folder.resolve("s");
        List<String> command = new ArrayList<>(List.of("sh", "-c", "ulimit -n 200; exec \"$@\"", "sh"));
        command.addAll(Jvm.command(Exhausted.class));
        command.add(stale.toString());
        command.add(folder.resolve("free").toString());
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader()) {
            assertEquals("EMFILE", out.readLine());
            String failure = "bind stream " + stale + ": EMFILE (Too many open files): ";
            assertEquals(failure + "the file that is there cannot be looked at", out.readLine());
            assertEquals("true", out.readLine());
            // One descriptor for the lock or for opening the file, two with the probe, three for everything.
            List<String> rest = out.lines().toList();
            assertEquals("bound", rest.get(rest.size() - 1));
            for (String line : rest.subList(0, rest.size() - 1)) {
                assertTrue(line.startsWith(failure), line);
            }
            assertTrue(rest.contains(failure + "whether the socket that is there is live cannot be determined"),
                    rest.toString());
        } finally {
            process.destroyForcibly();
        }
        assertEquals(0, process.waitFor());
        Evidence.of("itself", "without free descriptors bind says so, and calls no socket live");
    }
}
