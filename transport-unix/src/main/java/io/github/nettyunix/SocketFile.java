package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.SocketFiles;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * The file that binding a socket to a path has made: how it comes to be without stealing anybody's, and how it goes without
 * deleting anybody's.
 */
final class SocketFile {
    /** A bind waits no longer for others that are at it, who need microseconds: it runs on an event loop. */
    private static final long LOCK_DEADLINE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private final byte[] path;
    private final long device;
    private final long inode;

    private SocketFile(byte[] path, Status status) {
        this.path = path;
        device = status.device;
        inode = status.inode;
    }

    private record Status(boolean isSocket, int mode, long device, long inode) {
        /** {@code null} if there is no such file. */
        static Status of(byte[] path) {
            long[] values = new long[4];
            return SocketFiles.status(path, values) < 0 ? null
                    : new Status(values[0] == 1, (int) values[1], values[2], values[3]);
        }
    }

    /** Binds the socket to a path. */
    static SocketFile bind(UnixSocket socket, SocketType type, UnixSocketAddress address, SocketFilePolicy policy)
            throws IOException {
        byte[] bound = socket.localName();
        if (bound != null && bound.length > 0) {
            // The kernel would refuse it only after we had made room.
            throw UnixErrors.newException("bind", type, address, Errno.EINVAL, "the socket is bound already");
        }
        byte[] path = SocketName.terminated(address.name());
        // A socket that is just being bound has a file already, and is refused still: it looks stale. So no two of us are at
        // the same folder, not even where the path is free; and between our look at a stale file and its removal no other
        // replaces it by his own. Code that does not lock can bind a free path meanwhile; our bind fails then.
        try (SocketName name = SocketName.of("bind", type, address); Lock lock = lockDirectory(type, address)) {
            if (policy.mode() != SocketFilePolicy.DEFAULT_MODE) {
                check(SocketFiles.restrictMode(socket.intValue(), policy.mode()), type, address);
            }
            int result = socket.bind(name.bytes());
            if (result == -Errno.EADDRINUSE && policy.existing() != SocketFilePolicy.Existing.FAIL) {
                if (lock == null) {
                    throw inUse(type, address, "another process keeps the directory locked");
                }
                removeExisting(type, address, policy, path, name);
                result = socket.bind(name.bytes());
            }
            check(result, type, address);
        }
        Status status = Status.of(path);
        if (status == null) {
            // Somebody was quick to remove it: nobody will find us, and there is nothing left to take care of.
            return null;
        }
        SocketFile file = new SocketFile(path, status);
        if (policy.mode() != SocketFilePolicy.DEFAULT_MODE && policy.mode() != status.mode) {
            int result = SocketFiles.changeMode(path, policy.mode());
            if (result < 0) {
                file.remove();
                check(result, type, address);
            }
        }
        return policy.keep() ? null : file;
    }

    /** Makes room where something is, or refuses to. */
    private static void removeExisting(SocketType type, UnixSocketAddress address, SocketFilePolicy policy, byte[] path,
                                       SocketName name) throws IOException {
        Status status = Status.of(path);
        if (status == null) {
            return;
        }
        // A regular file answers a connect like a stale socket does.
        if (!status.isSocket) {
            throw inUse(type, address, "there is a file that is no socket");
        }
        if (policy.existing() == SocketFilePolicy.Existing.REPLACE_STALE) {
            int result = SocketFiles.probe(name.bytes());
            if (result == -Errno.EACCES) {
                throw inUse(type, address, "there is a socket that we may not connect to, to see whether it is live");
            }
            if (result != -Errno.ECONNREFUSED && result != -Errno.ENOENT) {
                throw inUse(type, address, "there is a live socket");
            }
        }
        SocketFiles.remove(path);
    }

    /** Answers {@code null} if others do not let go of the lock. */
    private static Lock lockDirectory(SocketType type, UnixSocketAddress address) throws IOException {
        FileDescriptor directory;
        try {
            directory = SocketName.openDirectory("bind", type, address, true);
        } catch (IOException e) {
            // A directory that we may write but not read cannot be locked. The race that this leaves open is that of two
            // servers which both find the same stale file: the later one may then remove the earlier one's socket.
            return () -> { };
        }
        long deadline = System.nanoTime() + LOCK_DEADLINE_NANOS;
        while (SocketFiles.lock(directory.intValue()) == -Errno.EAGAIN) {
            if (System.nanoTime() - deadline > 0) {
                directory.close();
                return null;
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                directory.close();
                throw inUse(type, address, "interrupted while waiting for the directory's lock");
            }
        }
        return directory::close;
    }

    /** Removes the file if it is still the one that we made. To be called before the socket is closed: inodes are reused. */
    void remove() {
        Status status = Status.of(path);
        if (status != null && status.device == device && status.inode == inode) {
            SocketFiles.remove(path);
        }
    }

    private static void check(int result, SocketType type, UnixSocketAddress address) throws IOException {
        if (result < 0) {
            throw UnixErrors.newException("bind", type, address, result);
        }
    }

    private static IOException inUse(SocketType type, UnixSocketAddress address, String hint) {
        return UnixErrors.newException("bind", type, address, Errno.EADDRINUSE, hint);
    }

    private interface Lock extends AutoCloseable {
        @Override
        void close() throws IOException;
    }
}
