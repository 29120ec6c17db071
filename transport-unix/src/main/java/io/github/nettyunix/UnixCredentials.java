package io.github.nettyunix;

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
