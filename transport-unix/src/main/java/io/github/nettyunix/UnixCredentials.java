package io.github.nettyunix;

import io.github.nettyunix.socket.Process;

import java.util.Arrays;
import java.util.List;

/**
 * Who a process is, as the kernel vouches for it. The numbers are as this process's namespaces show them; 65534 stands for a
 * user that they do not map.
 *
 * @param pid the process, 0 if it is unknown or in another pid namespace
 * @param uid the effective user
 * @param gid the effective group
 * @param groups the supplementary groups; empty where they are not known
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SCM_CREDENTIALS and SO_PEERCRED
 */
public record UnixCredentials(int pid, int uid, int gid, List<Integer> groups) {
    private static final int SOME_GROUPS = 64;
    /** NGROUPS_MAX of Linux; elsewhere it is smaller. */
    private static final int MAX_GROUPS = 65536;

    /**
     * Credentials with a copy of the groups.
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
     * The credentials of this process, as its peers see them.
     *
     * @return pid, effective uid, effective gid and supplementary groups now
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static UnixCredentials ofThisProcess() {
        UnixTransport.ensureAvailability();
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
     * Credentials without supplementary groups, as messages carry them.
     *
     * @param pid the process
     * @param uid the user
     * @param gid the group
     */
    public UnixCredentials(int pid, int uid, int gid) {
        this(pid, uid, gid, List.of());
    }
}
