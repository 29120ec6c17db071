package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SocketFiles;

import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * What {@code bind} does if the path exists already, which mode and group the socket file gets, and whether it is
 * removed when the channel closes. Files that are not sockets are never replaced. Immutable; instances can be shared
 * between channels and threads.
 * <pre>{@code
 * .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().withMode("rw-rw----").withGroup("www-data"))
 * }</pre>
 *
 * @see UnixSocketOption#SOCKET_FILE
 */
public final class SocketFilePolicy {
    /** What {@code bind} does if there is a socket at the path. A file that is not a socket is always refused. */
    public enum Existing {
        /** {@link SocketFilePolicy#replaceStale()}: a stale socket is replaced, a live one is refused. */
        REPLACE_STALE,
        /** {@link SocketFilePolicy#takeOver()}: any socket is removed. */
        TAKE_OVER,
        /** {@link SocketFilePolicy#replaceAtomically()}: any socket is replaced by renaming the new one over it. */
        REPLACE_ATOMICALLY,
        /** {@link SocketFilePolicy#failIfExists()}: any socket is refused. */
        FAIL
    }

    /** No mode, or no group, was set. */
    private static final int UNSET = -1;
    /** The default mode of a file whose group was set: only its owner and the members of the group can connect. */
    private static final int GROUP_MODE = 0660;

    private static final SocketFilePolicy REPLACE_STALE =
            new SocketFilePolicy(Existing.REPLACE_STALE, UNSET, UNSET, null, false);

    private final Existing existing;
    private final int mode;
    private final int gid;
    private final String group;
    private final boolean keep;

    private SocketFilePolicy(Existing existing, int mode, int gid, String group, boolean keep) {
        this.existing = existing;
        this.mode = mode;
        this.gid = gid;
        this.group = group;
        this.keep = keep;
    }

    /**
     * Replaces a socket file that no process holds any more, and refuses the path of a live socket. This is the
     * default.
     *
     * @return the policy
     */
    public static SocketFilePolicy replaceStale() {
        return REPLACE_STALE;
    }

    /**
     * Removes any socket that is at the path, even a live one, whose server can then no longer be reached and does not
     * notice. Clients are refused from the removal until the new server listens. {@link #replaceAtomically()} has no
     * such gap.
     *
     * @return the policy
     */
    public static SocketFilePolicy takeOver() {
        return new SocketFilePolicy(Existing.TAKE_OVER, UNSET, UNSET, null, false);
    }

    /**
     * Replaces any socket that is at the path without a gap: a client that connects at any moment reaches the old
     * server or the new one. The socket is bound to a temporary name in the same folder, for example {@code .name.0},
     * gets its mode and group, listens, and is then renamed to the path. The old server keeps its connections. It
     * should continue to accept for a moment before it closes, because connections that are still in its backlog are
     * reset then. Its close does not remove the new file.
     *
     * <p>For servers only: on other channels, {@code bind} fails with EOPNOTSUPP. {@code localAddress()} is the
     * requested path, on accepted channels as well. The kernel, however, keeps the name that a socket was bound to:
     * clients of other libraries that call getpeername(2), and tools such as ss(8), show the temporary name.
     *
     * <p>A process that is killed between bind and rename leaves a stale socket with the temporary name, which the next
     * replacement reuses.
     *
     * @return the policy
     */
    public static SocketFilePolicy replaceAtomically() {
        return new SocketFilePolicy(Existing.REPLACE_ATOMICALLY, UNSET, UNSET, null, false);
    }

    /**
     * Refuses a path at which any file exists.
     *
     * @return the policy
     */
    public static SocketFilePolicy failIfExists() {
        return new SocketFilePolicy(Existing.FAIL, UNSET, UNSET, null, false);
    }

    /**
     * Gives the socket file exactly this mode, whatever the umask. The file is never more permissive than that, not
     * even briefly. Connecting requires write permission. Without a mode and a group, the file gets 0777 minus the
     * umask.
     *
     * <p>{@code bind} fails with EADDRINUSE if another user puts a file in the place of the socket before the mode is
     * set; that file is not changed.
     *
     * @param permissions as {@code ls} shows them, {@code "rw-rw----"}, or in octal, {@code "0660"} or {@code "660"}
     * @return the policy with a mode
     * @throws IllegalArgumentException if it is neither; set-user-ID, set-group-ID and sticky bits have no meaning on a
     *         socket
     */
    public SocketFilePolicy withMode(String permissions) {
        return new SocketFilePolicy(existing, parseMode(permissions), gid, group, keep);
    }

    private static int parseMode(String permissions) {
        if (permissions.matches("0?[0-7]{3}")) {
            return Integer.parseInt(permissions, 8);
        }
        int bits = 0;
        try {
            for (PosixFilePermission permission : PosixFilePermissions.fromString(permissions)) {
                // The constants stand in the order of the bits, from 0400 to 0001.
                bits |= 0400 >> permission.ordinal();
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("not the mode of a socket file: \"" + permissions
                    + "\"; write \"rw-rw----\" or \"0660\", for example", e);
        }
        return bits;
    }

    /**
     * Gives the socket file to a group, before anybody can connect. Unless {@link #withMode} sets another mode, it is
     * {@code rw-rw----}, so that only the file's owner and the members of the group can connect. An unprivileged
     * process must be a member of the group; otherwise {@code bind} fails with EPERM and leaves no file.
     *
     * <p>The name is looked up immediately, by getgrnam_r(3), which can block if groups come from a network. Do not
     * call this method on an event loop.
     *
     * @param name the name of the group
     * @return the policy with a group
     * @throws IllegalArgumentException if there is no group of this name
     * @throws io.netty.channel.ChannelException if the groups cannot be read; the exception implements
     *         {@link UnixSocketError}
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public SocketFilePolicy withGroup(String name) {
        NativeTransport.ensureAvailability();
        int[] found = new int[1];
        int result = name.indexOf(0) >= 0 ? -Errno.ENOENT : SocketFiles.groupId(name, found);
        if (result == -Errno.ENOENT) {
            throw new IllegalArgumentException("there is no group \"" + name.replace("\0", "\\0")
                    + "\"; withGroup(int) takes the number of a group");
        }
        if (result < 0) {
            throw SocketErrors.newChannelException(Operation.GETGRNAM, null, null, result, "group " + name);
        }
        return new SocketFilePolicy(existing, mode, found[0], name, keep);
    }

    /**
     * Gives the socket file to a group with this number; see {@link #withGroup(String)}.
     *
     * @param gid the number as an unsigned integer: numbers above 2147483647 are negative
     * @return the policy with a group
     * @throws IllegalArgumentException if it is -1, which is not a valid group
     */
    public SocketFilePolicy withGroup(int gid) {
        if (gid == UNSET) {
            throw new IllegalArgumentException("not the number of a group: -1");
        }
        return new SocketFilePolicy(existing, mode, gid, null, keep);
    }

    /**
     * Leaves the file in place when the channel closes. By default it is removed then, unless another file has taken
     * its place.
     *
     * @return the policy that keeps the file
     */
    public SocketFilePolicy keepOnClose() {
        return new SocketFilePolicy(existing, mode, gid, group, true);
    }

    /**
     * Returns what is done if there is a socket at the path.
     *
     * @return the choice
     */
    public Existing existing() {
        return existing;
    }

    /**
     * Returns the permission bits that the socket file gets.
     *
     * @return the bits, 0 to 0777; empty if the umask determines them
     */
    public OptionalInt mode() {
        return modeBits() == UNSET ? OptionalInt.empty() : OptionalInt.of(modeBits());
    }

    /**
     * Returns the number of the group that the socket file gets.
     *
     * @return the number as an unsigned integer; empty if the file gets the default group of new files
     */
    public OptionalInt group() {
        return gid == UNSET ? OptionalInt.empty() : OptionalInt.of(gid);
    }

    /**
     * Returns whether the file is left in place when the channel closes.
     *
     * @return true if so; false by default
     */
    public boolean isKeptOnClose() {
        return keep;
    }

    /** The mode, or {@link #UNSET}. */
    private int modeBits() {
        return mode == UNSET && gid != UNSET ? GROUP_MODE : mode;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SocketFilePolicy policy && existing == policy.existing
                && modeBits() == policy.modeBits() && gid == policy.gid && keep == policy.keep;
    }

    @Override
    public int hashCode() {
        return Objects.hash(existing, modeBits(), gid, keep);
    }

    @Override
    public String toString() {
        return existing + (modeBits() == UNSET ? "" : String.format(", mode %04o", modeBits()))
                + (gid == UNSET ? "" : ", group " + Integer.toUnsignedString(gid))
                + (group == null ? "" : " (" + group + ')') + (keep ? ", keep" : "");
    }
}
