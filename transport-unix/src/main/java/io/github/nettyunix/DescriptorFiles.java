package io.github.nettyunix;

import io.github.nettyunix.socket.FileDescriptors;

import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Opens files for {@link UnixFileDescriptor}, and makes channels of the JDK for them. */
final class DescriptorFiles {
    /** Makes a descriptor of the JDK a duplicate of ours. */
    interface Replacement {
        void replace(int placeholder) throws IOException;
    }

    private static final String PLACEHOLDER = "/dev/null";

    private DescriptorFiles() {
    }

    /** See {@link UnixFileDescriptor#open}; returns the number. */
    static int open(Path path, OpenOption... options) throws IOException {
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
        return fd;
    }

    /**
     * A channel for what is open already. Reopening {@code /proc/self/fd/N} would check the permissions of the file again. So the JDK opens
     * something that everybody may open, and the descriptor that it got for it is replaced.
     */
    static FileChannel newChannel(boolean read, boolean write, Replacement replacement) throws IOException {
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
