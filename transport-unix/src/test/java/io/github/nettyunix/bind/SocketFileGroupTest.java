package io.github.nettyunix.bind;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Binder;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.netty.channel.Channel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** A socket file belongs to the group that was asked for before anybody can connect. */
@Tag("once")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class SocketFileGroupTest {
    /** Root can give a file to any group, others to their own. */
    private static final int GROUP = UnixCredentials.ofThisProcess().uid() == 0 ? 1
            : UnixCredentials.ofThisProcess().gid();

    @TempDir
    private Path folder;

    /** Returns the system's name of the group. */
    private static String name() throws Exception {
        try (Python python = Python.run("import grp\nprint(grp.getgrgid(int(sys.argv[1])).gr_name)", GROUP)) {
            return python.line();
        }
    }

    private static String bind(SocketType type, Path path, SocketFilePolicy policy) throws Exception {
        Channel channel = Channels.newBindable(type);
        channel.config().setOption(UnixSocketOption.SOCKET_FILE, policy);
        Channels.register(channel).bind(UnixSocketAddress.of(path)).sync();
        Map<String, Object> found = Files.readAttributes(path, "unix:mode,gid", LinkOption.NOFOLLOW_LINKS);
        channel.close().sync();
        return String.format("%04o %d", (int) found.get("mode") & 07777, (int) found.get("gid"));
    }

    @Test
    void groupIsSetByNumberAndByName() throws Exception {
        for (SocketType type : SocketType.values()) {
            Path path = folder.resolve(type.toString());
            assertEquals("0660 " + GROUP, bind(type, path, SocketFilePolicy.replaceStale().withGroup(GROUP)));
            assertEquals("0660 " + GROUP, bind(type, path, SocketFilePolicy.failIfExists().withGroup(name())));
            assertEquals("0620 " + GROUP, bind(type, path,
                    SocketFilePolicy.takeOver().withMode("rw--w----").withGroup(GROUP)));
            assertEquals("0666 " + GROUP, bind(type, path,
                    SocketFilePolicy.takeOver().withGroup(GROUP).withMode("0666")));
            if (type != SocketType.DATAGRAM) {
                assertEquals("0660 " + GROUP, bind(type, path, SocketFilePolicy.replaceAtomically().withGroup(GROUP)));
            }
        }
    }

    /** Another process checks the file all the time: the group that it had before never has any rights. */
    @Test
    void theGroupThatTheFileHasAtFirstMayDoNothing() throws Exception {
        Path path = folder.resolve("s");
        String script = """
                import time
                seen, times, there, end = set(), 0, False, time.monotonic() + 15
                while times < 300 and time.monotonic() < end:
                    try:
                        found = os.lstat(sys.argv[1])
                        if found.st_mode & 0o007 or found.st_mode & 0o070 and found.st_gid != int(sys.argv[2]):
                            seen.add((oct(found.st_mode & 0o777), found.st_gid))
                        times += not there
                        there = True
                    except FileNotFoundError:
                        there = False
                print(*seen or ["nothing" if times else "no file"])
                """;
        try (Python watcher = Python.run(script, path, GROUP)) {
            CompletableFuture<String> seen = CompletableFuture.supplyAsync(() -> assertDoesNotThrow(watcher::line));
            while (!seen.isDone()) {
                bind(SocketType.DATAGRAM, path, SocketFilePolicy.failIfExists().withGroup(GROUP));
            }
            assertEquals("nothing", seen.get());
            watcher.succeed();
        }
        Evidence.of("CPython", "a socket file that is a group's is never seen to allow another group anything");
    }

    @Test
    void groupThatTheProcessIsNoMemberOfFailsTheBindAndNoFileIsLeft() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path path = folder.resolve("s");
        assertEquals("bind stream " + path + ": EPERM (Operation not permitted): the file's group cannot be set to 0",
                Binder.run(Jvm.AS_NOBODY, path, "", 0));
        assertFalse(Files.exists(path, LinkOption.NOFOLLOW_LINKS));
    }

    @Test
    void policyShowsWhatItIs() throws Exception {
        SocketFilePolicy policy = SocketFilePolicy.replaceStale().withGroup(name()).keepOnClose();
        assertEquals(OptionalInt.of(GROUP), policy.group());
        assertEquals(OptionalInt.of(0660), policy.mode());
        assertEquals(SocketFilePolicy.Existing.REPLACE_STALE, policy.existing());
        assertEquals(true, policy.isKeptOnClose());
        assertEquals("REPLACE_STALE, mode 0660, group " + GROUP + " (" + name() + "), keep", policy.toString());
        assertEquals(policy, SocketFilePolicy.replaceStale().keepOnClose().withGroup(GROUP));
        SocketFilePolicy plain = SocketFilePolicy.failIfExists();
        assertEquals(List.of(OptionalInt.empty(), OptionalInt.empty(), false),
                List.of(plain.mode(), plain.group(), plain.isKeptOnClose()));
    }

    @Test
    void groupThatDoesNotExistIsRefusedWhenThePolicyIsMade() {
        assertEquals("there is no group \"no such group\"; withGroup(int) takes the number of a group",
                assertThrows(IllegalArgumentException.class,
                () -> SocketFilePolicy.takeOver().withGroup("no such group")).getMessage());
        assertThrows(IllegalArgumentException.class, () -> SocketFilePolicy.takeOver().withGroup("a\0b"));
        assertThrows(IllegalArgumentException.class, () -> SocketFilePolicy.takeOver().withGroup(""));
        assertThrows(IllegalArgumentException.class, () -> SocketFilePolicy.takeOver().withGroup(-1));
    }
}
