package io.github.nettyunix;

import io.github.nettyunix.internal.DescriptorFiles;
import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.ValueAccess;
import io.github.nettyunix.internal.socket.DescriptorCloser;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.ReceivedFileDescriptor;
import io.github.nettyunix.internal.socket.UseCount;
import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.ReferenceCounted;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import io.netty.util.ResourceLeakTracker;
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

/**
 * A file descriptor with an owner. It is closed when its last reference is released, or at once by {@link #close()};
 * {@link ResourceLeakDetector} reports descriptors that were never released. Descriptors that arrive in a
 * {@link UnixMessage} belong to the message; {@link #retain()} keeps one beyond it. Writing a descriptor transfers its
 * ownership. Thread-safe, except for the inherited methods for reading and writing: they use the number without
 * protection, so no other thread may close the descriptor meanwhile.
 *
 * <p>{@link #close()}, and so a try-with-resources statement, closes the descriptor for all holders of references:
 * holders of a shared one {@link #release()} it. A descriptor equals only itself, because numbers are reused.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/cmsg.3.html">cmsg(3)</a>, SCM_RIGHTS
 */
public final class UnixFileDescriptor extends FileDescriptor implements ReferenceCounted, AutoCloseable {
    /** The type of the file that a descriptor refers to. */
    public enum Type {
        /** A file on a disk, or a file in memory that has a name. */
        REGULAR_FILE,
        /** A directory. */
        DIRECTORY,
        /** A pipe or a FIFO. */
        PIPE,
        /** A socket of any family. */
        SOCKET,
        /**
         * A file in memory without a name, as created by {@link #memfd}. Files of {@code /dev/shm} or another tmpfs,
         * deleted or not, are {@link #REGULAR_FILE}s, and so are memory files on platforms other than Linux. Whether a
         * memory file can be mapped safely depends on its {@link #seals() seals} and pages, see {@link SealedMemory}.
         */
        MEMFD,
        /** A character device: a terminal, {@code /dev/null}. */
        CHARACTER_DEVICE,
        /** A block device: a disk. */
        BLOCK_DEVICE,
        /** Something else, such as an epoll instance, an eventfd or a pidfd. */
        OTHER
    }

    /** A restriction on a memory file, which applies to all processes and cannot be removed. */
    public enum Seal {
        /** No further seals can be added. The only seal of tmpfs files and of memory files without seal support. */
        SEAL,
        /** The file cannot be made shorter, so that a mapping of it never loses pages. */
        SHRINK,
        /** The file cannot be made longer. */
        GROW,
        /** The content cannot be changed, and no mapping exists that could change it. */
        WRITE,
        /** The content can be changed only through mappings that existed before. Linux 5.1 and later. */
        FUTURE_WRITE,
        /** The execute permission cannot be changed. Linux 6.3 and later. */
        EXEC
    }

    private static final ResourceLeakDetector<UnixFileDescriptor> LEAK_DETECTOR =
            ResourceLeakDetectorFactory.instance().newResourceLeakDetector(UnixFileDescriptor.class);

    private static final UseCount<UnixFileDescriptor> USES =
            new UseCount<>(AtomicIntegerFieldUpdater.newUpdater(UnixFileDescriptor.class, "uses"));

    private static final Type[] TYPES = Type.values();
    static {
        ValueAccess.provide(new ValueAccess.OfDescriptor<>(USES, UnixFileDescriptor::new, fd -> fd.received,
                fd -> fd.closeNumber(), fd -> RefCnt.release(fd.refCnt) && fd.beginClose(), fd -> fd.closeElsewhere()));
    }

    private final RefCnt refCnt = new RefCnt();
    private final ResourceLeakTracker<UnixFileDescriptor> leak;
    private final boolean received;
    private volatile boolean closing;
    @SuppressWarnings("unused") // USES counts it.
    private volatile int uses;

    /** @param received whether a peer sent it, so that closing it may block */
    private UnixFileDescriptor(int fd, boolean received) {
        super(fd);
        this.received = received;
        leak = LEAK_DETECTOR.track(this);
    }

    /**
     * Takes ownership of a descriptor, given by its number.
     *
     * @param fd the number, which only the new object may close from now on
     * @return its owner, with one reference
     * @throws IllegalArgumentException if the number is negative
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static UnixFileDescriptor adopt(int fd) {
        NativeTransport.ensureAvailability();
        return new UnixFileDescriptor(fd, false);
    }

    /**
     * Opens a file. It is close-on-exec, and new files get mode 0666 less the umask.
     *
     * @param path the file
     * @param options {@link StandardOpenOption}s: READ (the default), WRITE, APPEND, TRUNCATE_EXISTING, CREATE,
     *        CREATE_NEW, SYNC, DSYNC
     * @return its owner, with one reference
     * @throws IOException if it cannot be opened, see
     *         <a href="https://man7.org/linux/man-pages/man2/open.2.html">open(2)</a>
     * @throws UnsupportedOperationException for other options
     */
    public static UnixFileDescriptor open(Path path, OpenOption... options) throws IOException {
        return adopt(DescriptorFiles.open(path, options));
    }

    /**
     * Duplicates a descriptor. Both refer to the same open file and share its offset, but each is closed on its own.
     *
     * @param fd the descriptor to duplicate, whose ownership does not change
     * @return the new one's owner, with one reference; it is close-on-exec
     * @throws IOException if {@code fd} is closed, or the process has reached its limit of descriptors
     */
    public static UnixFileDescriptor dup(FileDescriptor fd) throws IOException {
        int result = fd instanceof UnixFileDescriptor ours ? ours.use(number -> FileDescriptors.duplicate(number, 3))
                : DescriptorFiles.duplicate(fd, 3);
        return new UnixFileDescriptor(DescriptorFiles.check(Operation.DUP, fd.intValue(), result),
                fd instanceof UnixFileDescriptor ours ? ours.received : fd instanceof ReceivedFileDescriptor);
    }

    /**
     * Creates a file in memory that holds a copy of the given bytes and is sealed, so that neither this process nor a
     * receiver can change it. Its offset is at the start. Linux 3.17 and later.
     *
     * @param name what {@code /proc} shows, at most 249 bytes
     * @param content the bytes: all readable ones; its indexes do not change
     * @return its owner, with one reference
     * @throws IOException if it cannot be created, see
     *         <a href="https://man7.org/linux/man-pages/man2/memfd_create.2.html">memfd_create(2)</a>
     */
    public static UnixFileDescriptor memfd(String name, ByteBuf content) throws IOException {
        return adopt(DescriptorFiles.newMemoryFile(name, content));
    }

    /**
     * Creates a file in memory of a given size, filled with zeros, that every holder may write to, and execute. It has
     * no seals; {@link #seal} adds some.
     *
     * @param name what {@code /proc} shows, at most 249 bytes
     * @param size the size in bytes; memory is allocated when pages are written
     * @return its owner, with one reference
     * @throws IllegalArgumentException if the size is negative
     * @throws IOException if it cannot be created
     */
    public static UnixFileDescriptor memfd(String name, long size) throws IOException {
        return adopt(DescriptorFiles.newMemoryFile(name, size));
    }

    /**
     * Creates a sealed file in memory of a given size, filled with zeros: memory to be shared by mapping it. With
     * {@link Seal#SHRINK} its pages remain, so that a receiver can map it safely, see {@link SealedMemory}. Nobody can
     * execute it: from Linux 6.3 on it has {@link Seal#EXEC} besides. Linux 3.17, FreeBSD 13 and later.
     *
     * @param name what {@code /proc} shows, at most 249 bytes
     * @param size the size in bytes; memory is allocated when pages are written
     * @param seals the restrictions for all holders, this process included
     * @return its owner, with one reference
     * @throws IllegalArgumentException if the size is negative
     * @throws IOException if it cannot be created
     */
    public static UnixFileDescriptor memfd(String name, long size, Seal... seals) throws IOException {
        return adopt(DescriptorFiles.newMemoryFile(name, size, DescriptorFiles.bits(seals)));
    }

    /**
     * Creates an eventfd, a 64-bit counter that wakes the threads waiting for it. vhost-user and other protocols on
     * shared memory send them. {@link EventCounter} adds to it and reads it, {@link UnixTransport#watch} waits for it.
     * It does not block. Linux, FreeBSD 13 and later.
     *
     * @param initial the counter's first value, an unsigned number of 32 bits
     * @param semaphore whether each read subtracts 1 from the counter (EFD_SEMAPHORE) instead of resetting it to 0
     * @return its owner, with one reference
     * @throws IllegalArgumentException if the value does not fit
     * @throws IOException if it cannot be created, see
     *         <a href="https://man7.org/linux/man-pages/man2/eventfd.2.html">eventfd(2)</a>
     */
    public static UnixFileDescriptor eventFd(long initial, boolean semaphore) throws IOException {
        return adopt(DescriptorFiles.newEventFd(initial, semaphore));
    }

    /**
     * Creates two connected sockets in blocking mode, for example one for a
     * {@link io.github.nettyunix.process.ChildProcess}, whose program expects that mode, and one for
     * {@link UnixTransport#adopt(UnixFileDescriptor)}.
     *
     * @param type their type
     * @return the owners of the two, each with one reference
     * @throws IOException if the platform has no such sockets, or the process has reached its limit of descriptors, see
     *         <a href="https://man7.org/linux/man-pages/man2/socketpair.2.html">socketpair(2)</a>
     */
    public static List<UnixFileDescriptor> socketPair(SocketType type) throws IOException {
        int[] fds = DescriptorFiles.newSocketPair(type);
        return List.of(adopt(fds[0]), adopt(fds[1]));
    }

    /**
     * Returns the number and gives up the ownership: the caller must close it. Waits until other threads' calls on this
     * object have finished using the number; these do not block.
     *
     * @return the number
     * @throws IllegalStateException if it is closed or detached already
     */
    public int detach() {
        if (USES.begin(this)) {
            if (tryDetach()) {
                return intValue();
            }
            endUse();
        }
        throw new IllegalStateException("the descriptor is closed already: " + this);
    }

    /** Transfers the number to a caller that has begun a use, which it must end if this returns false: it is closed. */
    boolean tryDetach() {
        return disown(USES.detach(this));
    }

    @Override
    public boolean isOpen() {
        return USES.isOpen(this);
    }

    /**
     * Returns the type of the file that the descriptor refers to. Does not block, whatever a peer has sent.
     *
     * @return the type, from <a href="https://man7.org/linux/man-pages/man2/statx.2.html">statx(2)</a>
     * @throws IOException if the descriptor is closed
     */
    public Type type() throws IOException {
        return TYPES[DescriptorFiles.check(Operation.TYPE, intValue(),
                use(fd -> FileDescriptors.status(fd, new long[1])))];
    }

    /**
     * Returns the size of the file. It is meaningful for regular files and memory files, and may change until the file
     * is sealed. Does not block: for a file in a FUSE or network file system, the kernel's cached size is returned.
     *
     * @return the size in bytes, from <a href="https://man7.org/linux/man-pages/man2/statx.2.html">statx(2)</a>
     * @throws IOException if the descriptor is closed
     */
    public long size() throws IOException {
        long[] size = new long[1];
        DescriptorFiles.check(Operation.SIZE, intValue(), use(fd -> FileDescriptors.status(fd, size)));
        return size[0];
    }

    /**
     * Sets whether reads and writes block (clears or sets O_NONBLOCK). A program that gets the socket of a channel may
     * expect it to block. The mode belongs to the open file: it changes for all its descriptors, in all processes. Do
     * not make the socket of a channel blocking while the channel is in use.
     *
     * @param blocking whether reads and writes block
     * @throws IOException if the descriptor is closed
     */
    public void setBlocking(boolean blocking) throws IOException {
        DescriptorFiles.check(Operation.SET_BLOCKING, intValue(), use(fd -> FileDescriptors.setBlocking(fd, blocking)));
    }

    /** Makes a system call that cannot block; returns its result, -EBADF if the descriptor is closed. */
    private int use(IntUnaryOperator call) {
        if (!USES.begin(this)) {
            return -Errno.EBADF;
        }
        try {
            return call.applyAsInt(intValue());
        } finally {
            endUse();
        }
    }

    /**
     * Returns the open file as a channel, even if this process could not open it by its path. The channel has a
     * descriptor of its own, so both are closed separately, but the offset is shared with all holders of the open file.
     * If a peer has sent the descriptor, the channel's methods, {@code close} included, can block: do not call them on
     * an event loop unless {@link #type()} is {@link Type#MEMFD}.
     *
     * @param options READ, WRITE or both; if empty, what the descriptor allows
     * @return the channel, to be closed by the caller
     * @throws IOException if the descriptor is closed, or was not opened for these options
     * @throws UnsupportedOperationException for other options
     */
    public FileChannel toFileChannel(OpenOption... options) throws IOException {
        return DescriptorFiles.toFileChannel(intValue(), this::use, options);
    }

    /**
     * Maps the file into memory, as {@link FileChannel#map} does. The mapping remains when the descriptor is closed,
     * and is removed when the buffer is garbage-collected.
     *
     * <p>If the file is truncated, its mapped pages disappear: an access to them throws an {@link InternalError}, at
     * best. Map a received file with {@link SealedMemory}.
     *
     * @param mode READ_ONLY or READ_WRITE, which changes the file; PRIVATE needs a descriptor that is open for both
     * @param offset where it begins in the file, in bytes
     * @param length how many bytes, at most {@link Integer#MAX_VALUE}; with READ_WRITE a shorter file grows
     * @return the mapping
     * @throws IOException if the descriptor is closed, is not open for this mode, or cannot be mapped, see
     *         <a href="https://man7.org/linux/man-pages/man2/mmap.2.html">mmap(2)</a>
     */
    public MappedByteBuffer map(FileChannel.MapMode mode, long offset, long length) throws IOException {
        try (FileChannel file = toFileChannel(DescriptorFiles.optionsOf(mode))) {
            return file.map(mode, offset, length);
        }
    }

    /**
     * Returns the seals of the file. Only memory files have seals; the set is empty for other files and for unsealed
     * memory files.
     *
     * @return the seals; a mapping of ordinary pages is safe to access if {@link Seal#SHRINK} is among them, and its
     *         content cannot change if {@link Seal#WRITE} is
     * @throws IOException if the descriptor is closed
     */
    public Set<Seal> seals() throws IOException {
        int bits = DescriptorFiles.seals(intValue(), this::use);
        return Set.copyOf(Arrays.stream(Seal.values()).filter(seal -> (bits & 1 << seal.ordinal()) != 0).toList());
    }

    /**
     * Seals a memory file. Seals apply to all holders of the file and cannot be removed.
     *
     * @param seals the restrictions to add
     * @throws IOException EPERM if it has {@link Seal#SEAL} already or is not open for writing, EBUSY for
     *         {@link Seal#WRITE} while a writable mapping of it exists, EINVAL if it is not a memory file or the kernel
     *         does not know the seal; see F_ADD_SEALS in
     *         <a href="https://man7.org/linux/man-pages/man2/fcntl.2.html">fcntl(2)</a>
     */
    public void seal(Seal... seals) throws IOException {
        DescriptorFiles.seal(intValue(), this::use, DescriptorFiles.bits(seals));
    }

    /**
     * Closes the descriptor at once, regardless of its reference count; releasing the remaining references has no
     * effect. Has no effect if it is closed already. If another thread is using the number in a method of this class,
     * or is sending it, the number is closed after that. A descriptor that a peer has sent is closed on another thread
     * if closing may block, see {@link #isClosing}; errors are not reported then.
     *
     * @throws IOException if the system reports an error, see
     *         <a href="https://man7.org/linux/man-pages/man2/close.2.html">close(2)</a>; the descriptor is closed
     *         nevertheless
     */
    @Override
    public void close() throws IOException {
        if (beginClose()) {
            DescriptorFiles.check(Operation.CLOSE, intValue(), closeNumber());
        }
    }

    /** Ends a use, and closes the number if this object was closed meanwhile. */
    private void endUse() {
        if (USES.end(this)) {
            closeNumber();
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

    /** Closes the number on another thread: what a peer has sent may block. */
    private void closeElsewhere() {
        closing = true;
        DescriptorCloser.execute(() -> {
            FileDescriptors.close(intValue());
            closing = false;
        });
    }

    /**
     * Returns whether the descriptor was closed but the system call has not returned yet. Closing what a peer has sent
     * may block, for example a file of a FUSE server that does not respond, or a TCP socket with SO_LINGER. Then it
     * happens on another thread, and the descriptor counts against the limit of the process until the call returns.
     *
     * @return true if it is still being closed
     */
    public boolean isClosing() {
        return closing;
    }

    /** Closes the descriptor; returns whether the caller must close the number. */
    private boolean beginClose() {
        int inProgress = USES.close(this);
        disown(inProgress != UseCount.ALREADY);
        return inProgress == 0;
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

    /** Compares the identity: Netty's implementation compares the number, which may belong to another file by now. */
    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    /** Returns the number and the {@linkplain #type() type}, which a logger can show on any thread: it cannot block. */
    @Override
    public String toString() {
        int type = use(fd -> FileDescriptors.status(fd, new long[1]));
        return "UnixFileDescriptor(" + intValue() + (type >= 0 ? ", " + TYPES[type] : isOpen() ? "" : ", closed") + ')';
    }

    private boolean closeIf(boolean last) {
        if (last && beginClose()) {
            // The number is free whatever this returns, and release() cannot report errors.
            closeNumber();
        }
        return last;
    }

    private boolean disown(boolean done) {
        if (done && leak != null) {
            leak.close(this);
        }
        return done;
    }
}
