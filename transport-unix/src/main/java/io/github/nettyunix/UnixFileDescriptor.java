package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.FileDescriptors;
import io.github.nettyunix.socket.UnixSocket;
import io.github.nettyunix.socket.UseCount;
import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCounted;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import io.netty.util.ResourceLeakTracker;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.internal.RefCnt;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.IntUnaryOperator;

/**
 * A file descriptor that somebody owns: it is closed when its last reference is released, or at once by {@link #close()}, and
 * {@link ResourceLeakDetector} reports one that was forgotten. Those that arrive in a {@link UnixMessage} belong to the message;
 * {@link #retain()} keeps one beyond it. Writing one gives it away. Thread-safe.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/cmsg.3.html">cmsg(3)</a>, SCM_RIGHTS
 */
public final class UnixFileDescriptor extends FileDescriptor implements ReferenceCounted, AutoCloseable {
    /** What a descriptor can be of. */
    public enum Type {
        /** A file on a disk, or one in memory that has a name. */
        REGULAR_FILE,
        /** A directory. */
        DIRECTORY,
        /** A pipe or a FIFO. */
        PIPE,
        /** A socket of any family. */
        SOCKET,
        /** A file in memory without a name, as {@link #memfd} makes them. Told from a regular file on Linux only. */
        MEMFD,
        /** A character device: a terminal, {@code /dev/null}. */
        CHARACTER_DEVICE,
        /** A block device: a disk. */
        BLOCK_DEVICE,
        /** Something else, such as an epoll instance, an eventfd or a pidfd. */
        OTHER
    }

    private static final ResourceLeakDetector<UnixFileDescriptor> LEAK_DETECTOR =
            ResourceLeakDetectorFactory.instance().newResourceLeakDetector(UnixFileDescriptor.class);

    /** Those that are about to be closed. */
    private static final FastThreadLocal<int[]> NUMBERS = new FastThreadLocal<>() {
        @Override
        protected int[] initialValue() {
            return new int[UnixMessage.MAX_FILE_DESCRIPTORS];
        }
    };

    private static final UseCount<UnixFileDescriptor> USES =
            new UseCount<>(AtomicIntegerFieldUpdater.newUpdater(UnixFileDescriptor.class, "uses"));

    private final RefCnt refCnt = new RefCnt();
    private final ResourceLeakTracker<UnixFileDescriptor> leak;
    private volatile int uses;

    private UnixFileDescriptor(int fd) {
        super(fd);
        leak = LEAK_DETECTOR.track(this);
    }

    /**
     * Takes over a descriptor by its number.
     *
     * @param fd the number; from now on nobody else may close it
     * @return its owner, with one reference
     * @throws IllegalArgumentException if the number is negative
     */
    public static UnixFileDescriptor adopt(int fd) {
        return new UnixFileDescriptor(fd);
    }

    /**
     * Opens a file. It is close-on-exec, and new files get mode 0666 less the umask.
     *
     * @param path the file
     * @param options {@link StandardOpenOption}s: READ (the default), WRITE, APPEND, TRUNCATE_EXISTING, CREATE, CREATE_NEW,
     *        SYNC, DSYNC
     * @return its owner, with one reference
     * @throws IOException if it cannot be opened, see <a href="https://man7.org/linux/man-pages/man2/open.2.html">open(2)</a>
     * @throws UnsupportedOperationException for other options
     */
    public static UnixFileDescriptor open(Path path, OpenOption... options) throws IOException {
        UnixTransport.ensureAvailability();
        boolean read = false;
        boolean write = false;
        int flags = 0;
        for (OpenOption option : options) {
            if (!(option instanceof StandardOpenOption)) {
                throw new UnsupportedOperationException("open: " + option);
            }
            switch ((StandardOpenOption) option) {
                case READ -> read = true;
                case WRITE -> write = true;
                case APPEND -> {
                    write = true;
                    flags |= FileDescriptors.APPEND;
                }
                case TRUNCATE_EXISTING -> flags |= FileDescriptors.TRUNCATE;
                case CREATE -> flags |= FileDescriptors.CREATE;
                case CREATE_NEW -> flags |= FileDescriptors.CREATE | FileDescriptors.EXCLUSIVE;
                case SYNC -> flags |= FileDescriptors.SYNC;
                case DSYNC -> flags |= FileDescriptors.DSYNC;
                default -> throw new UnsupportedOperationException("open: " + option);
            }
        }
        flags |= !write ? FileDescriptors.READ : read ? FileDescriptors.READ_WRITE : FileDescriptors.WRITE;
        int fd = FileDescriptors.open((path + "\0").getBytes(StandardCharsets.UTF_8), flags, 0666);
        if (fd < 0) {
            throw UnixErrors.newException("open " + path, null, null, fd);
        }
        return new UnixFileDescriptor(fd);
    }

    /**
     * Another descriptor of the same open file: they share the offset, not the lifetime.
     *
     * @param fd the descriptor to duplicate, which stays its owner's
     * @return the new one's owner, with one reference; it is close-on-exec
     * @throws IOException if {@code fd} is closed, or this process may have no more descriptors
     */
    public static UnixFileDescriptor dup(FileDescriptor fd) throws IOException {
        UnixTransport.ensureAvailability();
        int result = duplicate(fd, 3);
        if (result < 0) {
            throw UnixErrors.newException("dup of descriptor " + fd.intValue(), null, null, result);
        }
        return new UnixFileDescriptor(result);
    }

    /**
     * A file in memory that holds a copy of some bytes and that nobody can change any more, neither we nor whom we send it to.
     * Its offset is at the start. Linux 3.17 and later.
     *
     * @param name what {@code /proc} shows, at most 249 bytes
     * @param content the bytes: all that are readable, which they stay
     * @return its owner, with one reference
     * @throws IOException if it cannot be made, see
     *         <a href="https://man7.org/linux/man-pages/man2/memfd_create.2.html">memfd_create(2)</a>
     */
    public static UnixFileDescriptor memfd(String name, ByteBuf content) throws IOException {
        UnixTransport.ensureAvailability();
        int fd = FileDescriptors.memoryFile(name);
        if (fd < 0) {
            throw UnixErrors.newException("memfd_create " + name, null, null, fd);
        }
        UnixFileDescriptor memory = new UnixFileDescriptor(fd);
        try {
            try (FileChannel file = memory.toFileChannel(StandardOpenOption.WRITE)) {
                int start = content.readerIndex();
                for (int index = start; index < content.writerIndex();) {
                    index += content.getBytes(index, file, (long) index - start, content.writerIndex() - index);
                }
            }
            int result = FileDescriptors.seal(fd);
            if (result < 0) {
                throw UnixErrors.newException("seal " + name, null, null, result);
            }
            return memory;
        } catch (Throwable t) {
            memory.release();
            throw t;
        }
    }

    /**
     * Two sockets that are connected to each other, and block: one for a {@link ChildProcess}, whose program expects that, and one
     * for {@link UnixTransport#adopt(UnixFileDescriptor)}, or for both to be given away.
     *
     * @param type their type
     * @return the owners of the two, each with one reference
     * @throws IOException if the platform has no such sockets, or this process may have no more descriptors, see
     *         <a href="https://man7.org/linux/man-pages/man2/socketpair.2.html">socketpair(2)</a>
     */
    public static List<UnixFileDescriptor> socketPair(SocketType type) throws IOException {
        UnixTransport.ensureAvailability();
        int[] fds = new int[2];
        int result = UnixSocket.newSocketPair(type.ordinal(), fds);
        if (result < 0) {
            throw UnixErrors.newException("socketpair", type, null, result);
        }
        for (int fd : fds) {
            FileDescriptors.setBlocking(fd, true);
        }
        return List.of(new UnixFileDescriptor(fds[0]), new UnixFileDescriptor(fds[1]));
    }

    /**
     * Takes the number and gives up the ownership: the caller has to close it. Waits for other threads' calls on this object that
     * are using the number; these do not block.
     *
     * @return the number
     * @throws IllegalStateException if it is closed or detached already
     */
    public int detach() {
        boolean open = beginUse();
        if (open && !tryDetach()) {
            endUse();
            open = false;
        }
        if (!open) {
            throw new IllegalStateException("the descriptor is closed already: " + this);
        }
        return intValue();
    }

    /** Gives the number to a caller who has begun a use of it; false, and the use has still to be ended, if it is closed. */
    boolean tryDetach() {
        if (!USES.detach(this)) {
            return false;
        }
        markClosed();
        untrack();
        return true;
    }

    /**
     * Keeps the number this object's until {@link #endUse}, even if another thread closes it. In between there must be only
     * system calls that cannot block, and no code that may call {@link #detach}, which would wait for its own thread.
     *
     * @return false if it is closed, or detached; then there is nothing to end
     */
    boolean beginUse() {
        return USES.begin(this);
    }

    /** Ends a use; the number is closed here if it should have been meanwhile. */
    void endUse() {
        if (USES.end(this)) {
            FileDescriptors.close(intValue());
        }
    }

    @Override
    public boolean isOpen() {
        return USES.isOpen(this);
    }

    /**
     * What the descriptor is of.
     *
     * @return the type, from <a href="https://man7.org/linux/man-pages/man2/fstat.2.html">fstat(2)</a>
     * @throws IOException if the descriptor is closed
     */
    public Type type() throws IOException {
        return switch (status("type", new long[1])) {
            case FileDescriptors.REGULAR -> Type.REGULAR_FILE;
            case FileDescriptors.DIRECTORY -> Type.DIRECTORY;
            case FileDescriptors.PIPE -> Type.PIPE;
            case FileDescriptors.SOCKET -> Type.SOCKET;
            case FileDescriptors.MEMORY -> Type.MEMFD;
            case FileDescriptors.CHARACTERS -> Type.CHARACTER_DEVICE;
            case FileDescriptors.BLOCKS -> Type.BLOCK_DEVICE;
            default -> Type.OTHER;
        };
    }

    /**
     * How long the file is. It says something of regular files and memory files; what a file has may change until it is sealed.
     *
     * @return the size in bytes, st_size of <a href="https://man7.org/linux/man-pages/man2/fstat.2.html">fstat(2)</a>
     * @throws IOException if the descriptor is closed
     */
    public long size() throws IOException {
        long[] size = new long[1];
        status("size", size);
        return size[0];
    }

    /**
     * Whether reading from it and writing to it wait, O_NONBLOCK. The sockets of channels do not block, and programs that are given
     * one, as standard input for example, may expect that it does. It is a property of what is open: it changes for all
     * descriptors of that, in all processes. A channel must not be in use any more when its socket blocks.
     *
     * @param blocking whether they wait
     * @throws IOException if the descriptor is closed
     */
    public void setBlocking(boolean blocking) throws IOException {
        check("setBlocking", use(fd -> FileDescriptors.setBlocking(fd, blocking)));
    }

    private int status(String operation, long[] size) throws IOException {
        return check(operation, use(fd -> FileDescriptors.status(fd, size)));
    }

    /** Makes a system call that cannot block; returns its result, -EBADF if the descriptor is closed. */
    private int use(IntUnaryOperator call) {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return call.applyAsInt(intValue());
        } finally {
            endUse();
        }
    }

    private int check(String operation, int result) throws IOException {
        if (result < 0) {
            throw UnixErrors.newException(operation + " of descriptor " + intValue(), null, null, result);
        }
        return result;
    }

    /**
     * The open file as a channel, also where this process could not open it by its path. The channel has a descriptor of its
     * own, so that both are closed separately, but the offset is shared with everybody who has the same open file.
     *
     * @param options READ, WRITE or both; without any, what the descriptor allows
     * @return the channel, to be closed by the caller
     * @throws IOException if the descriptor is closed, or was not opened for that
     * @throws UnsupportedOperationException for other options
     */
    public FileChannel toFileChannel(OpenOption... options) throws IOException {
        Set<OpenOption> wanted = Set.of(options);
        if (!Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE).containsAll(wanted)) {
            throw new UnsupportedOperationException("toFileChannel: " + wanted);
        }
        int allowed = check("toFileChannel", use(FileDescriptors::accessMode));
        boolean read = wanted.isEmpty() ? (allowed & 1) != 0 : wanted.contains(StandardOpenOption.READ);
        boolean write = wanted.isEmpty() ? (allowed & 2) != 0 : wanted.contains(StandardOpenOption.WRITE);
        if (read && (allowed & 1) == 0 || write && (allowed & 2) == 0) {
            throw UnixErrors.newException("toFileChannel of descriptor " + intValue(), null, null,
                    Errno.EACCES, "it is open for " + ((allowed & 1) == 0 ? "writing" : "reading") + " only");
        }
        // Reopening /proc/self/fd/N would check the permissions of the file again. So the JDK opens something that everybody
        // may open, and the descriptor that it got for it becomes a duplicate of ours.
        String placeholder = "/dev/null";
        if (read && write) {
            RandomAccessFile file = new RandomAccessFile(placeholder, "rw");
            return become(file.getFD(), file.getChannel());
        }
        if (write) {
            FileOutputStream file = new FileOutputStream(placeholder);
            return become(file.getFD(), file.getChannel());
        }
        FileInputStream file = new FileInputStream(placeholder);
        return become(file.getFD(), file.getChannel());
    }

    private FileChannel become(java.io.FileDescriptor placeholder, FileChannel channel) throws IOException {
        int result = use(fd -> FileDescriptors.replace(fd, FileDescriptors.number(placeholder)));
        if (result < 0) {
            channel.close();
        }
        check("toFileChannel", result);
        return channel;
    }

    /**
     * Closes the descriptor now, however many references there are; they become harmless. Once closed this does nothing. If another
     * thread is just using the number in one of this class's methods, or sending it, the number is closed when that is done.
     *
     * @throws IOException if the system reports one, see
     *         <a href="https://man7.org/linux/man-pages/man2/close.2.html">close(2)</a>; it is closed all the same
     */
    @Override
    public void close() throws IOException {
        if (beginClose() && USES.end(this)) {
            check("close", FileDescriptors.close(intValue()));
        }
    }

    /** Marks it closed, and begins a use; false if it was closed already. */
    private boolean beginClose() {
        if (!USES.close(this)) {
            return false;
        }
        markClosed();
        untrack();
        return true;
    }

    @Override
    public int refCnt() {
        return RefCnt.refCnt(refCnt);
    }

    @Override
    public UnixFileDescriptor retain() {
        RefCnt.retain(refCnt);
        return this;
    }

    @Override
    public UnixFileDescriptor retain(int increment) {
        RefCnt.retain(refCnt, increment);
        return this;
    }

    @Override
    public UnixFileDescriptor touch() {
        return touch(null);
    }

    @Override
    public UnixFileDescriptor touch(Object hint) {
        if (leak != null) {
            leak.record(hint);
        }
        return this;
    }

    @Override
    public boolean release() {
        return closeIf(RefCnt.release(refCnt));
    }

    @Override
    public boolean release(int decrement) {
        return closeIf(RefCnt.release(refCnt, decrement));
    }

    @Override
    public String toString() {
        return "UnixFileDescriptor(" + intValue() + (isOpen() ? ")" : ", closed)");
    }

    /**
     * Duplicates a descriptor that another thread may be closing.
     *
     * @param least the lowest number that the duplicate may have
     * @return its number, which is the caller's to close; or a negative errno, -EBADF if the descriptor is closed
     */
    static int duplicate(FileDescriptor fd, int least) {
        if (fd instanceof UnixFileDescriptor ours) {
            return ours.use(number -> FileDescriptors.duplicate(number, least));
        }
        int result = fd.isOpen() ? FileDescriptors.duplicate(fd.intValue(), least) : -Errno.EBADF;
        if (result >= 0 && !fd.isOpen()) {
            // Netty's descriptors are marked closed before their number is free. So this may be a duplicate of another file.
            FileDescriptors.close(result);
            return -Errno.EBADF;
        }
        return result;
    }

    private boolean closeIf(boolean last) {
        if (last) {
            try {
                close();
            } catch (IOException ignored) {
                // The number is free, and a release has nobody to tell.
            }
        }
        return last;
    }

    /**
     * Releases each; those that have no reference left are closed together, which takes one system call where it can.
     *
     * @throws IllegalReferenceCountException if one was released too often already, when all the others are released
     */
    static void releaseAll(List<UnixFileDescriptor> fds) {
        if (fds.size() <= 1) {
            if (!fds.isEmpty()) {
                fds.get(0).release();
            }
            return;
        }
        int[] numbers = NUMBERS.get();
        int count = 0;
        IllegalReferenceCountException failure = null;
        for (int i = 0; i < fds.size(); i++) {
            UnixFileDescriptor fd = fds.get(i);
            try {
                if (RefCnt.release(fd.refCnt) && fd.beginClose() && USES.end(fd)) {
                    numbers[count++] = fd.intValue();
                }
            } catch (IllegalReferenceCountException e) {
                failure = e;
            }
            if (count == numbers.length) {
                FileDescriptors.closeAll(numbers, count);
                count = 0;
            }
        }
        if (count > 0) {
            FileDescriptors.closeAll(numbers, count);
        }
        if (failure != null) {
            throw failure;
        }
    }

    private void untrack() {
        if (leak != null) {
            leak.close(this);
        }
    }
}
