package io.github.nettyunix;

import io.github.nettyunix.socket.DescriptorCloser;
import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.FileDescriptors;
import io.github.nettyunix.socket.ReceivedFileDescriptor;
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
import io.netty.util.internal.ObjectUtil;
import io.netty.util.internal.RefCnt;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;

/**
 * A file descriptor that somebody owns: it is closed when its last reference is released, or at once by {@link #close()}, and
 * {@link ResourceLeakDetector} reports one that was forgotten. Those that arrive in a {@link UnixMessage} belong to the message;
 * {@link #retain()} keeps one beyond it. Writing one gives it away. Thread-safe. The methods that it inherits for reading and writing
 * use the number as it is: no other thread may close it meanwhile.
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
        /**
         * A file in memory without a name, as {@link #memfd} makes them; not one of {@code /dev/shm} or another tmpfs, deleted or not.
         * Elsewhere than on Linux they are regular files. Whether it can be mapped safely depends on its {@link #seals() seals}.
         */
        MEMFD,
        /** A character device: a terminal, {@code /dev/null}. */
        CHARACTER_DEVICE,
        /** A block device: a disk. */
        BLOCK_DEVICE,
        /** Something else, such as an epoll instance, an eventfd or a pidfd. */
        OTHER
    }

    /** What cannot be done to a memory file any more, by anybody. */
    public enum Seal {
        /** No further seals can be added. Files of a tmpfs, and memory files that were made without seals in mind, have just this one. */
        SEAL,
        /** It cannot be made shorter: whoever maps it finds all of it. */
        SHRINK,
        /** It cannot be made longer. */
        GROW,
        /** Its content cannot be changed, and nobody has a mapping that could change it. */
        WRITE,
        /** Its content can be changed by mappings that were made before only. Linux 5.1 and later. */
        FUTURE_WRITE,
        /** Whether it can be executed cannot be changed. Linux 6.3 and later. */
        EXEC
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
    private final boolean received;
    private volatile boolean closing;
    private volatile int uses;

    private UnixFileDescriptor(int fd, boolean received) {
        super(fd);
        this.received = received;
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
        return adopt(fd, false);
    }

    /** @param received whether a peer has chosen what it is, so that it may block whoever closes it */
    static UnixFileDescriptor adopt(int fd, boolean received) {
        return new UnixFileDescriptor(fd, received);
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
        return new UnixFileDescriptor(DescriptorFiles.open(path, options), false);
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
        return adoptDuplicate(fd, result);
    }

    /** The owner of a duplicate, which is closed in the same way as the original. */
    static UnixFileDescriptor adoptDuplicate(FileDescriptor of, int fd) {
        return new UnixFileDescriptor(fd, of instanceof UnixFileDescriptor ours ? ours.received : of instanceof ReceivedFileDescriptor);
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
        UnixFileDescriptor memory = memoryFile(name);
        try {
            try (FileChannel file = memory.toFileChannel(StandardOpenOption.WRITE)) {
                int start = content.readerIndex();
                for (int index = start; index < content.writerIndex();) {
                    index += content.getBytes(index, file, (long) index - start, content.writerIndex() - index);
                }
            }
            memory.check("seek", FileDescriptors.seek(memory.intValue(), 0));
            memory.seal(Seal.SEAL, Seal.SHRINK, Seal.GROW, Seal.WRITE);
            return memory;
        } catch (Throwable t) {
            memory.release();
            throw t;
        }
    }

    /**
     * Creates a file in memory of a given size, full of zeros, that everybody who has it may write to: memory to be shared by
     * {@link #map mapping} it. {@link #seal} restricts what may be changed: with {@link Seal#SHRINK} and {@link Seal#GROW} the size is
     * fixed, so that a receiver can map it safely. Linux 3.17 and later.
     *
     * @param name what {@code /proc} shows, at most 249 bytes
     * @param size the size in bytes; memory is used for what is written only
     * @return its owner, with one reference
     * @throws IllegalArgumentException if the size is negative
     * @throws IOException if it cannot be made, see
     *         <a href="https://man7.org/linux/man-pages/man2/memfd_create.2.html">memfd_create(2)</a>
     */
    public static UnixFileDescriptor memfd(String name, long size) throws IOException {
        UnixTransport.ensureAvailability();
        ObjectUtil.checkPositiveOrZero(size, "size");
        UnixFileDescriptor memory = memoryFile(name);
        try {
            memory.check("ftruncate", FileDescriptors.setSize(memory.intValue(), size));
            return memory;
        } catch (Throwable t) {
            memory.release();
            throw t;
        }
    }

    private static UnixFileDescriptor memoryFile(String name) throws IOException {
        int fd = FileDescriptors.memoryFile(name);
        if (fd < 0) {
            throw UnixErrors.newException("memfd_create " + name, null, null, fd);
        }
        return new UnixFileDescriptor(fd, false);
    }

    /**
     * Creates an eventfd: a 64-bit counter that wakes whoever waits for it, as vhost-user and other protocols on shared memory send
     * them. It counts up when 8 bytes are written, and 8 bytes are read from it, in native byte order. It does not block. Linux.
     *
     * @param initial the counter's first value, an unsigned number of 32 bits
     * @param semaphore whether each read takes 1 off the counter (EFD_SEMAPHORE), and not all of it
     * @return its owner, with one reference
     * @throws IllegalArgumentException if the value does not fit
     * @throws IOException if it cannot be made, see
     *         <a href="https://man7.org/linux/man-pages/man2/eventfd.2.html">eventfd(2)</a>
     */
    public static UnixFileDescriptor eventFd(long initial, boolean semaphore) throws IOException {
        UnixTransport.ensureAvailability();
        ObjectUtil.checkInRange(initial, 0, 0xFFFF_FFFFL, "initial");
        int fd = FileDescriptors.eventCounter((int) initial, false, semaphore);
        if (fd < 0) {
            throw UnixErrors.newException("eventfd", null, null, fd);
        }
        return new UnixFileDescriptor(fd, false);
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
        return List.of(new UnixFileDescriptor(fds[0], false), new UnixFileDescriptor(fds[1], false));
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
            closeNumber();
        }
    }

    @Override
    public boolean isOpen() {
        return USES.isOpen(this);
    }

    /**
     * What the descriptor is of. Does not block, whatever a peer has sent.
     *
     * @return the type, from <a href="https://man7.org/linux/man-pages/man2/statx.2.html">statx(2)</a>
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
     * How long the file is. It says something of regular files and memory files; what a file has may change until it is sealed. Does not
     * block: of a file in a FUSE or network file system it is what the kernel knew last (AT_STATX_DONT_SYNC).
     *
     * @return the size in bytes, from <a href="https://man7.org/linux/man-pages/man2/statx.2.html">statx(2)</a>
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
     * own, so that both are closed separately, but the offset is shared with everybody who has the same open file. Its methods, close
     * included, can block if a peer has sent the descriptor: do not call them on an event loop then, unless {@link #type()} is
     * {@link Type#MEMFD}.
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
        return DescriptorFiles.newChannel(read, write, placeholder ->
                check("toFileChannel", use(fd -> FileDescriptors.replace(fd, placeholder))));
    }

    /**
     * Maps the file into memory, as {@link FileChannel#map} does. The mapping stays when the descriptor is closed, and goes when the
     * buffer is garbage-collected.
     *
     * <p>A file that gets shorter takes its pages with it: whoever touches them then gets an {@link InternalError}, at best. Map a
     * received file only if its {@link #seals()} have {@link Seal#SHRINK}.
     *
     * @param mode READ_ONLY or READ_WRITE, which changes the file; PRIVATE needs a descriptor that is open for both
     * @param offset where it begins in the file, in bytes
     * @param length how many bytes, at most {@link Integer#MAX_VALUE}; with READ_WRITE the file grows if it is shorter than that
     * @return the memory
     * @throws IOException if the descriptor is closed, is not open for that, or cannot be mapped, see
     *         <a href="https://man7.org/linux/man-pages/man2/mmap.2.html">mmap(2)</a>
     */
    public MappedByteBuffer map(FileChannel.MapMode mode, long offset, long length) throws IOException {
        OpenOption[] options = mode == FileChannel.MapMode.READ_ONLY ? new OpenOption[] {StandardOpenOption.READ}
                : new OpenOption[] {StandardOpenOption.READ, StandardOpenOption.WRITE};
        try (FileChannel file = toFileChannel(options)) {
            return file.map(mode, offset, length);
        }
    }

    /**
     * Returns what nobody can do to the file any more. Only memory files have seals; the set is empty for others, and for a memory file
     * that may still be changed.
     *
     * @return the seals; whoever maps the file can rely on its size if {@link Seal#SHRINK} is among them, and on its content if
     *         {@link Seal#WRITE} is
     * @throws IOException if the descriptor is closed
     */
    public Set<Seal> seals() throws IOException {
        int bits = use(FileDescriptors::seals);
        if (bits == -Errno.EINVAL) {
            return Set.of();
        }
        check("seals", bits);
        return Arrays.stream(Seal.values()).filter(seal -> (bits & 1 << seal.ordinal()) != 0)
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * Seals a memory file, for all who have it and for ever.
     *
     * @param seals what nobody shall be able to do any more
     * @throws IOException EPERM if it has {@link Seal#SEAL} already or is not open for writing, EBUSY for {@link Seal#WRITE} while a
     *         writable mapping of it exists, EINVAL if it is no memory file or the kernel does not know the seal; see F_ADD_SEALS in
     *         <a href="https://man7.org/linux/man-pages/man2/fcntl.2.html">fcntl(2)</a>
     */
    public void seal(Seal... seals) throws IOException {
        int bits = Arrays.stream(seals).mapToInt(seal -> 1 << seal.ordinal()).reduce(0, (all, bit) -> all | bit);
        check("seal", use(fd -> FileDescriptors.seal(fd, bits)));
    }

    /**
     * Closes the descriptor now, however many references there are; they become harmless. Once closed this does nothing. If another
     * thread is just using the number in one of this class's methods, or sending it, the number is closed when that is done. One that a
     * peer has sent is closed elsewhere if that may block, see {@link #isClosing}; then no error is reported.
     *
     * @throws IOException if the system reports one, see
     *         <a href="https://man7.org/linux/man-pages/man2/close.2.html">close(2)</a>; it is closed all the same
     */
    @Override
    public void close() throws IOException {
        if (beginClose() && USES.end(this)) {
            check("close", closeNumber());
        }
    }

    private int closeNumber() {
        if (!received) {
            return FileDescriptors.close(intValue());
        }
        if (FileDescriptors.closeIfHarmless(intValue()) != 0) {
            closeElsewhere();
        }
        return 0;
    }

    private void closeElsewhere() {
        closing = true;
        DescriptorCloser.execute(() -> {
            FileDescriptors.close(intValue());
            closing = false;
        });
    }

    /**
     * Whether the descriptor was closed here, and the system has not finished yet. To close what a peer has sent may take as long as the
     * peer likes: a file of a FUSE server that does not answer, or a TCP socket with SO_LINGER. So it is closed on a thread of its own
     * unless it is certain not to block, and the process has one descriptor less to use until that is done.
     *
     * @return true if it is still being closed
     */
    public boolean isClosing() {
        return closing;
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
        boolean received = fds.get(0).received;
        IllegalReferenceCountException failure = null;
        for (int i = 0; i < fds.size(); i++) {
            UnixFileDescriptor fd = fds.get(i);
            if (count == numbers.length || fd.received != received) {
                closeAll(fds, numbers, count, received);
                count = 0;
                received = fd.received;
            }
            try {
                if (RefCnt.release(fd.refCnt) && fd.beginClose() && USES.end(fd)) {
                    numbers[count++] = fd.intValue();
                }
            } catch (IllegalReferenceCountException e) {
                failure = e;
            }
        }
        closeAll(fds, numbers, count, received);
        if (failure != null) {
            throw failure;
        }
    }

    private static void closeAll(List<UnixFileDescriptor> fds, int[] numbers, int count, boolean received) {
        if (count == 0) {
            return;
        }
        if (!received) {
            FileDescriptors.closeAll(numbers, count);
            return;
        }
        int left = FileDescriptors.closeHarmless(numbers, count);
        for (int i = 0; i < left; i++) {
            for (UnixFileDescriptor fd : fds) {
                if (fd.received && fd.intValue() == numbers[i] && !fd.closing) {
                    fd.closeElsewhere();
                    break;
                }
            }
        }
    }

    private void untrack() {
        if (leak != null) {
            leak.close(this);
        }
    }
}
