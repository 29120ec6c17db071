package io.github.nettyunix;

import io.github.nettyunix.UnixFileDescriptor.Seal;
import io.github.nettyunix.socket.CString;
import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.FileDescriptors;
import io.github.nettyunix.socket.ReceivedFileDescriptor;
import io.github.nettyunix.socket.UnixSocket;
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

/**
 * Opens files, memory files, eventfds and socket pairs for {@link UnixFileDescriptor}, duplicates descriptors, and
 * creates the JDK's channels for them.
 */
final class DescriptorFiles {
    /** Replaces a descriptor of the JDK by a duplicate of ours. */
    private interface Replacement {
        void replace(int placeholder) throws IOException;
    }

    private static final String PLACEHOLDER = "/dev/null";

    private DescriptorFiles() {
    }

    /** See {@link UnixFileDescriptor#open}; returns the number. */
    static int open(Path path, OpenOption... options) throws IOException {
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
        int fd = FileDescriptors.open(CString.of(path.toString()), flags, 0666);
        if (fd < 0) {
            throw UnixErrors.newException("open " + path, null, null, fd);
        }
        return fd;
    }

    /** See {@link UnixFileDescriptor#memfd(String, ByteBuf)}. */
    static UnixFileDescriptor newMemoryFile(String name, ByteBuf content) throws IOException {
        UnixFileDescriptor memory = newMemoryFile(name);
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

    /** See {@link UnixFileDescriptor#memfd(String, long)}. */
    static UnixFileDescriptor newMemoryFile(String name, long size) throws IOException {
        ObjectUtil.checkPositiveOrZero(size, "size");
        UnixFileDescriptor memory = newMemoryFile(name);
        try {
            memory.check("ftruncate", FileDescriptors.setSize(memory.intValue(), size));
            return memory;
        } catch (Throwable t) {
            memory.release();
            throw t;
        }
    }

    private static UnixFileDescriptor newMemoryFile(String name) throws IOException {
        UnixTransport.ensureAvailability();
        int fd = FileDescriptors.memoryFile(name);
        if (fd < 0) {
            throw UnixErrors.newException("memfd_create " + name, null, null, fd);
        }
        return UnixFileDescriptor.adopt(fd);
    }

    /** See {@link UnixFileDescriptor#eventFd}; returns the number. */
    static int newEventFd(long initial, boolean semaphore) throws IOException {
        UnixTransport.ensureAvailability();
        ObjectUtil.checkInRange(initial, 0, 0xFFFF_FFFFL, "initial");
        int fd = FileDescriptors.eventCounter((int) initial, false, semaphore);
        if (fd < 0) {
            throw UnixErrors.newException("eventfd", null, null, fd);
        }
        return fd;
    }

    /** See {@link UnixFileDescriptor#socketPair}; returns the numbers. */
    static int[] newSocketPair(SocketType type) throws IOException {
        UnixTransport.ensureAvailability();
        int[] fds = new int[2];
        int result = UnixSocket.newSocketPair(type.ordinal(), fds);
        if (result < 0) {
            throw UnixErrors.newException("socketpair", type, null, result);
        }
        for (int fd : fds) {
            FileDescriptors.setBlocking(fd, true);
        }
        return fds;
    }

    /** See {@link UnixFileDescriptor#dup}. */
    static UnixFileDescriptor dup(FileDescriptor fd) throws IOException {
        UnixTransport.ensureAvailability();
        int result = duplicate(fd, 3);
        if (result < 0) {
            throw UnixErrors.newException("dup of descriptor " + fd.intValue(), null, null, result);
        }
        return adoptDuplicate(fd, result);
    }

    /** Returns the owner of a duplicate, which is closed in the same way as the original. */
    static UnixFileDescriptor adoptDuplicate(FileDescriptor original, int fd) {
        return UnixFileDescriptor.adopt(fd, original instanceof UnixFileDescriptor ours ? ours.isReceived()
                : original instanceof ReceivedFileDescriptor);
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
            // Netty's descriptors are marked closed before their number is free. So this may be a duplicate of another
            // file.
            FileDescriptors.close(result);
            return -Errno.EBADF;
        }
        return result;
    }

    /** See {@link UnixFileDescriptor#toFileChannel}. */
    static FileChannel toFileChannel(UnixFileDescriptor descriptor, OpenOption... options) throws IOException {
        Set<OpenOption> requested = Set.of(options);
        if (!Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE).containsAll(requested)) {
            throw new UnsupportedOperationException("toFileChannel: " + requested);
        }
        int allowed = descriptor.check("toFileChannel", descriptor.use(FileDescriptors::accessMode));
        boolean read = requested.isEmpty() ? (allowed & 1) != 0 : requested.contains(StandardOpenOption.READ);
        boolean write = requested.isEmpty() ? (allowed & 2) != 0 : requested.contains(StandardOpenOption.WRITE);
        if (read && (allowed & 1) == 0 || write && (allowed & 2) == 0) {
            throw UnixErrors.newException("toFileChannel of descriptor " + descriptor.intValue(), null, null,
                    Errno.EACCES, "it is open for " + ((allowed & 1) == 0 ? "writing" : "reading") + " only");
        }
        return newChannel(read, write, placeholder ->
                descriptor.check("toFileChannel", descriptor.use(fd -> FileDescriptors.replace(fd, placeholder))));
    }

    /** Returns what a descriptor must be open for to be mapped. */
    static OpenOption[] optionsOf(FileChannel.MapMode mode) {
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
