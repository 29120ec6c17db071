package io.github.nettyunix.socket;

/** System calls on the files of pathname sockets. Paths end with a NUL; the results are negative errnos on failure. */
public final class SocketFiles {
    private SocketFiles() {
    }

    /** Fills {1 if it is a socket, mode, device, inode}; a symbolic link is not followed. */
    public static native int status(byte[] path, long[] result);

    public static native int remove(byte[] path);

    public static native int changeMode(byte[] path, int mode);

    /** Limits the mode of the file that binding this socket will make; nothing on platforms that have no such thing. */
    public static native int restrictMode(int fd, int mode);

    /** @param reading to {@link #lock} it, else only to reach what is in it */
    public static native int openDirectory(byte[] path, boolean reading);

    /** Locks a directory until the descriptor is closed; -EAGAIN while another process holds the lock. */
    public static native int lock(int directory);

    /** -ECONNREFUSED if nobody holds the socket of this name; a holder does not notice. */
    public static native int probe(byte[] name);
}
