package io.github.nettyunix.internal;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.CString;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.MemoryFile;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.internal.ObjectUtil;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * Opens files, memory files, eventfds and socket pairs, duplicates descriptors, and creates the JDK's channels for
 * them. Methods that return a number leave closing it to the caller.
 */
public final class DescriptorFiles {
    /** Replaces a descriptor of the JDK by a duplicate of ours. */
    private interface Replacement {
        void replace(int placeholder) throws IOException;
    }

    private static final String PLACEHOLDER = "/dev/null";
    private static final int SEAL_CONTENT =
            MemoryFile.SEAL_SEAL | MemoryFile.SEAL_SHRINK | MemoryFile.SEAL_GROW | MemoryFile.SEAL_WRITE;

    private DescriptorFiles() {
    }

    /** Opens a file. */
    public static int open(Path path, OpenOption... options) throws IOException {
        NativeTransport.ensureAvailability();
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
        int fd = FileDescriptors.open(CString.of(path.toString()), flags, 0666);
        if (fd < 0) {
            throw SocketErrors.newException(Operation.OPEN, path.toString(), fd, null);
        }
        return fd;
    }

    /** Creates a sealed file in memory that holds the content. */
    public static int newMemoryFile(String name, ByteBuf content) throws IOException {
        int memory = newMemoryFile(name);
        try {
            try (FileChannel file = newChannel(false, true, placeholder ->
                    check(Operation.TO_FILE_CHANNEL, memory, FileDescriptors.replace(memory, placeholder)))) {
                int start = content.readerIndex();
                for (int index = start; index < content.writerIndex();) {
                    index += content.getBytes(index, file, (long) index - start, content.writerIndex() - index);
                }
            }
            check(Operation.SEEK, memory, FileDescriptors.seek(memory, 0));
            check(Operation.SEAL, memory, MemoryFile.addSeals(memory, SEAL_CONTENT));
            return memory;
        } catch (Throwable t) {
            FileDescriptors.close(memory);
            throw t;
        }
    }

    /** Creates a file in memory of this size. */
    public static int newMemoryFile(String name, long size) throws IOException {
        ObjectUtil.checkPositiveOrZero(size, "size");
        int memory = newMemoryFile(name);
        try {
            check(Operation.FTRUNCATE, memory, FileDescriptors.setSize(memory, size));
            return memory;
        } catch (Throwable t) {
            FileDescriptors.close(memory);
            throw t;
        }
    }

    /** Creates a file in memory of this size that is sealed and not executable. */
    public static int newMemoryFile(String name, long size, int seals) throws IOException {
        NativeTransport.ensureAvailability();
        ObjectUtil.checkPositiveOrZero(size, "size");
        return checkNewMemoryFile(name, MemoryFile.create(name, size, seals));
    }

    private static int newMemoryFile(String name) throws IOException {
        NativeTransport.ensureAvailability();
        return checkNewMemoryFile(name, MemoryFile.open(name, true));
    }

    private static int checkNewMemoryFile(String name, int fd) throws IOException {
        if (fd < 0) {
            throw SocketErrors.newException(Operation.MEMFD_CREATE, name, fd, null);
        }
        return fd;
    }

    /** Returns the seals of a file, of which most kinds have none. */
    public static int seals(int number, ToIntFunction<IntUnaryOperator> use) throws IOException {
        int seals = use.applyAsInt(MemoryFile::seals);
        return seals == -Errno.EINVAL ? 0 : check(Operation.SEALS, number, seals);
    }

    /** Returns a bit for each ordinal. */
    public static int bits(Enum<?>... constants) {
        return Stream.of(constants).mapToInt(constant -> 1 << constant.ordinal()).reduce(0, (all, bit) -> all | bit);
    }

    /** Adds seals to a memory file. */
    public static void seal(int number, ToIntFunction<IntUnaryOperator> use, int seals) throws IOException {
        check(Operation.SEAL, number, use.applyAsInt(fd -> MemoryFile.addSeals(fd, seals)));
    }

    /** Creates an eventfd. */
    public static int newEventFd(long initial, boolean semaphore) throws IOException {
        NativeTransport.ensureAvailability();
        ObjectUtil.checkInRange(initial, 0, 0xFFFF_FFFFL, "initial");
        int fd = FileDescriptors.eventCounter((int) initial, false, semaphore);
        if (fd < 0) {
            throw SocketErrors.newException(Operation.EVENTFD, null, fd, null);
        }
        return fd;
    }

    /** Creates two connected sockets in blocking mode. */
    public static int[] newSocketPair(SocketType type) throws IOException {
        NativeTransport.ensureAvailability();
        int[] fds = new int[2];
        int result = UnixSocket.newSocketPair(type.ordinal(), fds);
        if (result < 0) {
            throw SocketErrors.newException(Operation.SOCKETPAIR, type, null, result);
        }
        for (int fd : fds) {
            result = FileDescriptors.setBlocking(fd, true);
            if (result < 0) {
                FileDescriptors.close(fds[0]);
                FileDescriptors.close(fds[1]);
                throw SocketErrors.newException(Operation.SET_BLOCKING, type, null, result);
            }
        }
        return fds;
    }

    /**
     * Duplicates a descriptor of Netty's class, which another thread may be closing.
     *
     * @param least the lowest number that the duplicate may have
     * @return its number, which is the caller's to close; or a negative errno, -EBADF if the descriptor is closed
     */
    public static int duplicate(FileDescriptor fd, int least) {
        NativeTransport.ensureAvailability();
        int result = fd.isOpen() ? FileDescriptors.duplicate(fd.intValue(), least) : -Errno.EBADF;
        if (result >= 0 && !fd.isOpen()) {
            // Netty's descriptors are marked closed before their number is free. So this may be a duplicate of another
            // file.
            FileDescriptors.close(result);
            return -Errno.EBADF;
        }
        return result;
    }

    /**
     * Creates a channel for an open file.
     *
     * @param number the number of the file's descriptor
     * @param use makes a system call on the number, unless it is closed
     */
    public static FileChannel toFileChannel(int number, ToIntFunction<IntUnaryOperator> use, OpenOption... options)
            throws IOException {
        Set<OpenOption> requested = Set.of(options);
        if (!Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE).containsAll(requested)) {
            throw new UnsupportedOperationException("toFileChannel: " + requested);
        }
        int allowed = check(Operation.TO_FILE_CHANNEL, number, use.applyAsInt(FileDescriptors::accessMode));
        boolean read = requested.isEmpty() ? (allowed & 1) != 0 : requested.contains(StandardOpenOption.READ);
        boolean write = requested.isEmpty() ? (allowed & 2) != 0 : requested.contains(StandardOpenOption.WRITE);
        if (read && (allowed & 1) == 0 || write && (allowed & 2) == 0) {
            throw SocketErrors.newException(Operation.TO_FILE_CHANNEL, "of descriptor " + number, Errno.EACCES,
                    "it is open for " + ((allowed & 1) == 0 ? "writing" : "reading") + " only");
        }
        return newChannel(read, write, placeholder -> check(Operation.TO_FILE_CHANNEL, number,
                use.applyAsInt(fd -> FileDescriptors.replace(fd, placeholder))));
    }

    /** Returns the result of a system call on a descriptor, or throws what it failed with. */
    public static int check(Operation operation, int fd, int result) throws IOException {
        if (result < 0) {
            throw SocketErrors.newException(operation, "of descriptor " + fd, result, null);
        }
        return result;
    }

    /** Returns what a descriptor must be open for to be mapped. */
    public static OpenOption[] optionsOf(FileChannel.MapMode mode) {
        return mode == FileChannel.MapMode.READ_ONLY ? new OpenOption[] {StandardOpenOption.READ}
                : new OpenOption[] {StandardOpenOption.READ, StandardOpenOption.WRITE};
    }

    /**
     * Creates a channel for an open file. Reopening {@code /proc/self/fd/N} would check the permissions of the file
     * again. So the JDK opens a file that every process may open, and its descriptor is then replaced.
     */
    private static FileChannel newChannel(boolean read, boolean write, Replacement replacement) throws IOException {
        if (read && write) {
            RandomAccessFile file = new RandomAccessFile(PLACEHOLDER, "rw");
            return replace(file.getFD(), file.getChannel(), replacement);
        }
        if (write) {
            FileOutputStream file = new FileOutputStream(PLACEHOLDER);
            return replace(file.getFD(), file.getChannel(), replacement);
        }
        FileInputStream file = new FileInputStream(PLACEHOLDER);
        return replace(file.getFD(), file.getChannel(), replacement);
    }

    private static FileChannel replace(java.io.FileDescriptor placeholder, FileChannel channel, Replacement replacement)
            throws IOException {
        try {
            replacement.replace(FileDescriptors.number(placeholder));
            return channel;
        } catch (Throwable t) {
            channel.close();
            throw t;
        }
    }
}
