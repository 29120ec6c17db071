package io.github.nettyunix.socket;

/** System calls on descriptors of any kind. They answer a negative errno on failure; new descriptors are close-on-exec. */
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

    /** Answers of {@link #status}. */
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

    /** An anonymous file in memory. See memfd_create(2). */
    public static native int memoryFile(String name);

    /** Rewinds a memory file and forbids everybody to change it. */
    public static native int seal(int fd);

    /** 1 if it can be read, plus 2 if it can be written. */
    public static native int accessMode(int fd);

    /** Makes a descriptor from elsewhere close-on-exec. */
    public static native int closeOnExec(int fd);

    /** Sets or clears O_NONBLOCK, for all descriptors of the same open file. */
    public static native int setBlocking(int fd, boolean blocking);

    /** The type of a file; {@code size[0]} becomes its size in bytes. See fstat(2). */
    public static native int status(int fd, long[] size);

    /** Closes a descriptor; what fails is closed all the same. See close(2). */
    public static native int close(int fd);

    /** Closes the first {@code count} descriptors, at most {@link UnixSocket#MAX_FDS}; what fails is closed all the same. */
    public static native int closeAll(int[] fds, int count);

    /** The number in a JDK descriptor. */
    public static native int number(java.io.FileDescriptor fd);
}
