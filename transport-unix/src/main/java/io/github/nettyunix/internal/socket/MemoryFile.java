package io.github.nettyunix.internal.socket;

/**
 * Files in memory that processes share, and their seals. Methods return a negative errno on failure; new descriptors
 * are close-on-exec.
 */
public final class MemoryFile {
    /** Seals: a bit for each ordinal of {@code UnixFileDescriptor.Seal}. See F_ADD_SEALS in fcntl(2). */
    public static final int SEAL_SEAL = 1;
    public static final int SEAL_SHRINK = 2;
    public static final int SEAL_GROW = 4;
    public static final int SEAL_WRITE = 8;
    public static final int SEAL_FUTURE_WRITE = 16;
    public static final int SEAL_EXEC = 32;

    private MemoryFile() {
    }

    /** What offsets and the parts of a ring must be multiples of. */
    public static int pageSize() {
        return Platform.pageSize();
    }

    /**
     * Creates a file of zeros that nobody can execute, and seals it. From Linux 6.3 on it has {@link #SEAL_EXEC}
     * besides.
     *
     * @return its descriptor; -ENOSYS on platforms without such files
     */
    public static int create(String name, long size, int seals) {
        int fd = open(name, false);
        if (fd < 0) {
            return fd;
        }
        int result = FileDescriptors.setSize(fd, size);
        if (result == 0 && seals != 0) {
            result = addSeals(fd, seals);
        }
        if (result == 0) {
            return fd;
        }
        FileDescriptors.close(fd);
        return result;
    }

    /** Creates an empty file that can be sealed. See memfd_create(2). */
    public static native int open(String name, boolean executable);

    /** Adds seals, which apply to all processes and cannot be removed. */
    public static native int addSeals(int fd, int seals);

    /** The seals of a file; -EINVAL if it is of a kind that has none. */
    public static native int seals(int fd);

    /** The size of a regular file or of one in memory; -EINVAL if it is of another kind. Does not block. */
    public static long size(int fd) {
        long[] size = new long[1];
        int type = FileDescriptors.status(fd, size);
        return type < 0 ? type
                : type == FileDescriptors.REGULAR || type == FileDescriptors.MEMORY ? size[0] : -Errno.EINVAL;
    }

    /**
     * The size of a file that a peer may have chosen, if mappings of that many bytes are safe to access from now on,
     * whatever its other holders do: it is made of ordinary memory pages, and its seals include {@code required} and
     * {@link #SEAL_SHRINK}. Does not block.
     *
     * @return the size; -EINVAL if the file is of another kind, -EPERM if it lacks a seal
     */
    public static long sealedSize(int fd, int required) {
        // In this order: seals are never removed, so the size that is read after them cannot become smaller.
        int seals = seals(fd);
        if (seals < 0) {
            return seals;
        }
        int needed = required | SEAL_SHRINK;
        if ((seals & needed) != needed) {
            return -Errno.EPERM;
        }
        int ordinary = hasOrdinaryPages(fd);
        return ordinary < 0 ? ordinary : ordinary == 0 ? -Errno.EINVAL : size(fd);
    }

    /** Returns 1 if the file, which has seals, consists of ordinary pages; 0 if it consists of huge pages. */
    private static native int hasOrdinaryPages(int fd);

    /** See {@link Mapping#map}. */
    static native long map(int fd, long offset, int length, boolean writable);

    /** See {@link Mapping#mapRing}. */
    static native long mapRing(int fd, int header, int data);
}
