package io.github.nettyunix.internal.endpoint;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.socket.CString;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.SocketFiles;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * A lock on the folder of a socket file, which prevents servers of this transport from changing the same path at the
 * same time. The lock is advisory, and anybody who may read the folder can hold it, so nothing relies on it: if it is
 * not free after a short time, or the folder cannot be opened for reading, its holder continues without it. Everything
 * done under the lock is also safe without it, see {@link SocketFile}; the lock only makes effects that a client could
 * notice rare.
 */
public final class FolderLock implements AutoCloseable {
    /** Others hold it for tens of microseconds. The caller is an event loop, which must not sleep. */
    private static final long WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final FileDescriptor folder;

    private FolderLock(FileDescriptor folder) {
        this.folder = folder;
    }

    /** Takes the lock of the folder that the file is in, if that is possible. */
    static FolderLock of(UnixSocketAddress file) {
        int fd = SocketFiles.openDirectory(CString.of(SocketName.folder(SocketName.bytesOf(file))), true);
        if (fd < 0) {
            return new FolderLock(null);
        }
        long start = System.nanoTime();
        while (SocketFiles.lock(fd) == -Errno.EAGAIN && System.nanoTime() - start < WAIT_NANOS) {
            Thread.yield();
        }
        return new FolderLock(new FileDescriptor(fd));
    }

    @Override
    public void close() {
        if (folder != null) {
            try {
                folder.close();
            } catch (IOException ignored) {
                // The descriptor is released all the same, and nothing was written through it.
            }
        }
    }
}
