package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.socket.Capabilities;
import io.github.nettyunix.internal.socket.Process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The identity of a process, as reported by the kernel. The numbers are those of this process's namespaces.
 *
 * <p>On Linux, two numbers do not identify anybody: the overflow uid and the overflow gid. Both are 65534 unless
 * {@code /proc/sys/kernel/overflowuid} and {@code overflowgid} say otherwise. The kernel reports them for every user
 * and group that this process's user namespace does not map, and in the credentials of messages that were sent before
 * {@code SO_PASSCRED} was set. Similarly, a pid of 0 means that the process is in a pid namespace that is not visible
 * here, or was not recorded. See {@link #isUserUnknown()} and {@link #isGroupUnknown()}.
 *
 * @param pid the process, 0 if it is unknown or in another pid namespace
 * @param uid the effective user
 * @param gid the effective group
 * @param groups the supplementary groups; empty if they are unknown
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SCM_CREDENTIALS and SO_PEERCRED
 */
public record UnixCredentials(int pid, int uid, int gid, List<Integer> groups) {
    private static final int SOME_GROUPS = 64;
    /** NGROUPS_MAX of Linux; elsewhere it is smaller. */
    private static final int MAX_GROUPS = 65536;

    /**
     * The numbers that stand for everybody else; read once, since a change of them is an administrator's experiment.
     */
    private static final class Overflow {
        static final int UID = read("overflowuid");
        static final int GID = read("overflowgid");

        private static int read(String name) {
            // In one read: the kernel takes the second one, of what a smaller buffer has left, for one behind the end.
            try (InputStream file = Files.newInputStream(Path.of("/proc/sys/kernel", name))) {
                byte[] digits = new byte[32];
                return (int) Long.parseLong(new String(digits, 0, file.read(digits), StandardCharsets.US_ASCII).trim());
            } catch (IOException | RuntimeException e) {
                // Without /proc the kernel's default is the best guess, and the safe one.
                return 65534;
            }
        }
    }

    /**
     * Creates credentials with a copy of the list of groups.
     *
     * @param pid the process
     * @param uid the user
     * @param gid the group
     * @param groups the supplementary groups
     */
    public UnixCredentials {
        groups = List.copyOf(groups);
    }

    /**
     * Returns the credentials of this process, as its peers see them.
     *
     * @return the current pid, effective uid, effective gid and supplementary groups
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static UnixCredentials ofThisProcess() {
        NativeTransport.ensureAvailability();
        int[] ids = new int[3];
        Process.identity(ids);
        int[] groups = new int[SOME_GROUPS];
        int count = Process.groups(groups);
        if (count < 0) {
            groups = new int[MAX_GROUPS];
            count = Process.groups(groups);
        }
        return new UnixCredentials(ids[0], ids[1], ids[2],
                Arrays.stream(groups, 0, Math.max(count, 0)).boxed().toList());
    }

    /**
     * Creates credentials without supplementary groups, as messages carry them.
     *
     * @param pid the process
     * @param uid the user
     * @param gid the group
     */
    public UnixCredentials(int pid, int uid, int gid) {
        this(pid, uid, gid, List.of());
    }

    /**
     * Returns whether the user is the overflow uid. That number stands for every user that this process's user
     * namespace does not map, and for users that were not recorded. It is also the number of the user {@code nobody},
     * which cannot be distinguished from the others.
     *
     * @return true if {@link #uid()} does not identify a user; always false on platforms other than Linux
     */
    public boolean isUserUnknown() {
        return Capabilities.OVERFLOW_IDS && uid == Overflow.UID;
    }

    /**
     * Returns whether the group is the overflow gid; see {@link #isUserUnknown()}.
     *
     * @return true if {@link #gid()} does not identify a group; always false on platforms other than Linux
     */
    public boolean isGroupUnknown() {
        return Capabilities.OVERFLOW_IDS && gid == Overflow.GID;
    }
}
