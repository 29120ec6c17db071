package io.github.nettyunix.internal.socket;

/** System calls on the files of pathname sockets. Paths end with a NUL; the results are negative errnos on failure. */
public final class SocketFiles {
    /**
     * Flags of {@link #rename}: fails with -EEXIST where something is; or exchanges two files, both of which must
     * exist.
     */
    public static final int NO_REPLACE = 1;
    public static final int EXCHANGE = 2;

    /** Places in the array that {@link #status} and {@link #statusOf} fill. */
    public static final int IS_SOCKET = 0;
    public static final int MODE = 1;
    public static final int DEVICE = 2;
    public static final int INODE = 3;
    public static final int UID = 4;
    public static final int GID = 5;
    public static final int STATUS_LENGTH = 6;

    private static final int GROUP_BUFFER = 4096;
    private static final int MAX_GROUP_BUFFER = 1 << 24;

    private SocketFiles() {
    }

    /** Fills in the status of the file at a path; a symbolic link is not followed. */
    public static native int status(byte[] path, long[] result);

    /** The same of an open file. */
    public static native int statusOf(int fd, long[] result);

    public static native int remove(byte[] path);

    /**
     * Renames a file.
     *
     * @param flags 0, {@link #NO_REPLACE} or {@link #EXCHANGE}; -ENOSYS or -EINVAL where these are not available
     */
    public static native int rename(byte[] from, byte[] to, int flags);

    /** Gives a file a second name; -EEXIST where something is. */
    public static native int link(byte[] from, byte[] to);

    /**
     * Returns a descriptor that refers to the file at the path, whatever the path names later. It gives no access to
     * the file, and its inode number is not reused while it is open. -ENOTSUP on platforms that have no such
     * descriptors for sockets.
     */
    public static native int open(byte[] path);

    /** The same for the file that a socket is bound to. Only processes with CAP_NET_ADMIN get it. */
    public static native int openBound(int socket);

    /**
     * 1 if the socket is bound to the file that {@link #open} has opened, 0 if not; a negative errno if that is not
     * known.
     */
    public static native int isBoundTo(int socket, int file);

    /**
     * Sets the mode of an opened file, or of the one at the path if the descriptor is negative. No symbolic link is
     * followed.
     */
    public static native int changeMode(int file, byte[] path, int mode);

    /** Sets the group likewise. */
    public static native int changeGroup(int file, byte[] path, int gid);

    /** Limits the mode of the file that binding this socket creates; does nothing on platforms without such a limit. */
    public static native int restrictMode(int fd, int mode);

    /**
     * Opens a directory.
     *
     * @param reading to {@link #lock} it, else only to reach what is in it
     */
    public static native int openDirectory(byte[] path, boolean reading);

    /** Locks a directory until the descriptor is closed; -EAGAIN while another process holds the lock. */
    public static native int lock(int directory);

    /** Returns -ECONNREFUSED if nobody holds the socket with this name; a holder does not notice. */
    public static native int probe(byte[] name);

    /** Stores the number of a group, see getgrnam_r(3). Returns -ENOENT if there is no group with this name. */
    public static int groupId(String name, int[] result) {
        byte[] bytes = CString.of(name);
        int error;
        int size = GROUP_BUFFER;
        do {
            error = groupId(bytes, new byte[size], result);
            size *= 4;
        } while (error == -Errno.ERANGE && size <= MAX_GROUP_BUFFER);
        return error;
    }

    private static native int groupId(byte[] name, byte[] buffer, int[] result);
}
