package io.github.nettyunix.internal.socket;

/**
 * System calls on descriptors of any type. They return a negative errno on failure; new descriptors are close-on-exec.
 */
public final class FileDescriptors {
    /** Flags of {@link #open}. */
    public static final int READ = 0;
    public static final int WRITE = 1;
    public static final int READ_WRITE = 2;
    public static final int CREATE = 4;
    public static final int EXCLUSIVE = 8;
    public static final int TRUNCATE = 16;
    public static final int APPEND = 32;
    public static final int SYNC = 64;
    public static final int DSYNC = 128;

    /** Results of {@link #status}. */
    public static final int REGULAR = 0;
    public static final int DIRECTORY = 1;
    public static final int PIPE = 2;
    public static final int SOCKET = 3;
    public static final int MEMORY = 4;
    public static final int CHARACTERS = 5;
    public static final int BLOCKS = 6;
    public static final int OTHER = 7;

    private FileDescriptors() {
    }

    /** Opens a path that ends with a NUL. See open(2). */
    public static native int open(byte[] path, int flags, int mode);

    /** Another descriptor of the same open file, not below {@code least}. */
    public static native int duplicate(int fd, int least);

    /** Makes {@code number} another descriptor of the same open file, closing what it was. See dup2(2). */
    public static native int replace(int fd, int number);

    /** See ftruncate(2). */
    public static native int setSize(int fd, long size);

    /** Moves the offset of the open file. See lseek(2). */
    public static native int seek(int fd, long offset);

    /** See eventfd(2). */
    public static native int eventCounter(int initial, boolean blocking, boolean semaphore);

    /** Adds to the counter of an eventfd; -EAGAIN if it has no room. -EINVAL if a write of the descriptor may block. */
    public static native int addToCounter(int fd, long count);

    /**
     * Reads the counter of an eventfd into {@code count[0]}; -EAGAIN if it is 0. Does not block: -EINVAL if a read of
     * the descriptor might.
     */
    public static native int takeCounter(int fd, long[] count);

    /** Returns 1 if it can be read, plus 2 if it can be written. */
    public static native int accessMode(int fd);

    /** Sets or clears FD_CLOEXEC. */
    public static native int closeOnExec(int fd, boolean on);

    /** Sets or clears O_NONBLOCK, for all descriptors of the same open file. */
    public static native int setBlocking(int fd, boolean blocking);

    /**
     * The type of a file; {@code size[0]} becomes its size in bytes. Does not block: of a file in a FUSE or network
     * file system it is what the kernel knew last. See AT_STATX_DONT_SYNC in statx(2).
     */
    public static native int status(int fd, long[] size);

    /** Closes a descriptor. If this fails, it is closed nevertheless. See close(2). */
    public static native int close(int fd);

    /** Closes a descriptor, unless that may block; then returns 1 and leaves it open. Does not block itself. */
    public static native int closeIfHarmless(int fd);

    /**
     * Closes those of the first {@code count} descriptors, at most {@link UnixSocket#MAX_FDS}, whose close(2) cannot
     * block, and moves the others to the front.
     *
     * @return how many these are, for {@link DescriptorCloser}
     */
    public static native int closeHarmless(int[] fds, int count);

    /**
     * Closes the first {@code count} descriptors, at most {@link UnixSocket#MAX_FDS}. Those for which this fails are
     * closed nevertheless.
     */
    public static native int closeAll(int[] fds, int count);

    /** The number in a JDK descriptor. */
    public static native int number(java.io.FileDescriptor fd);
}
