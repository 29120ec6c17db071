package io.github.nettyunix.internal.endpoint;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.CString;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SocketFiles;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The file that is created when a socket is bound to a path. It is created without taking the path from another server,
 * and removed without deleting another server's file.
 *
 * <p>Other processes may change the folder at any time, and some of them may be hostile. Therefore a file that was
 * checked is identified by device and inode, never by its path. And a file is not unlinked by its path: it is first
 * renamed to a name that nobody else uses, and checked again there. If another file had taken its place, it is put
 * back.
 */
public final class SocketFile {
    /** The number of temporary names for a path. A name that a crash leaves behind is reused. */
    private static final int TEMPORARY_NAMES = 8;
    private static final int ALL_OF_GROUP = 070;

    private final UnixSocketAddress address;
    private final SocketType type;
    private final SocketFilePolicy policy;
    // The location of the file, which differs from the address until the file is published.
    private UnixSocketAddress place;
    // Which file it is; null if it was removed before its status was read, or was never created.
    private Status status;

    public SocketFile(SocketType type, UnixSocketAddress address, SocketFilePolicy policy) {
        this.type = type;
        this.address = address;
        this.policy = policy;
        place = address;
    }

    /**
     * What is at a path.
     *
     * @param errno why nothing else is known of a file that may be there; 0 if it is known
     */
    public record Status(int errno, boolean isSocket, int mode, long device, long inode, int uid, int gid) {
        /** {@code null} if there is no such file. */
        public static Status of(UnixSocketAddress place) {
            long[] values = new long[SocketFiles.STATUS_LENGTH];
            return of(SocketFiles.status(CString.of(SocketName.bytesOf(place)), values), values);
        }

        /** Returns the status of an open file, or of the file at the location if the descriptor is negative. */
        static Status of(int file, UnixSocketAddress place) {
            long[] values = new long[SocketFiles.STATUS_LENGTH];
            return file < 0 ? of(place) : of(SocketFiles.statusOf(file, values), values);
        }

        private static Status of(int result, long[] values) {
            return result == -Errno.ENOENT ? null : new Status(-result, values[SocketFiles.IS_SOCKET] == 1,
                    (int) values[SocketFiles.MODE], values[SocketFiles.DEVICE], values[SocketFiles.INODE],
                    (int) values[SocketFiles.UID], (int) values[SocketFiles.GID]);
        }

        boolean isSameFile(Status other) {
            boolean isKnown = errno == 0 && other != null && other.errno == 0;
            return isKnown && device == other.device && inode == other.inode;
        }
    }

    /**
     * Binds a channel's socket to a path.
     *
     * @param onUnusable called if this fails and the socket is bound nevertheless: it can never be bound again
     */
    public static SocketFile bind(SocketType type, UnixSocket socket, UnixSocketAddress address,
            SocketFilePolicy policy, boolean isServer, Runnable onUnusable) throws IOException {
        SocketFile file = new SocketFile(type, address, policy);
        if (socket.localName(new byte[UnixSocket.MAX_NAME + 1]) > 0) {
            // The kernel would refuse it only after the existing file was removed.
            throw file.failure(Errno.EINVAL, "the socket is bound already");
        }
        if (policy.existing() == SocketFilePolicy.Existing.REPLACE_ATOMICALLY && !isServer) {
            throw file.failure(Errno.EOPNOTSUPP, "replaceAtomically is for servers, the peers of other sockets "
                    + "would see a temporary name");
        }
        // A socket that is being bound has a file but does not respond yet, so it looks stale. Hence the lock, even if
        // the path is free.
        try (FolderLock lock = FolderLock.of(address)) {
            file.make(socket);
            try {
                file.protect(socket);
            } catch (IOException e) {
                onUnusable.run();
                throw e;
            }
        }
        return file;
    }

    /** Binds the socket, which creates the file. Its mode allows no more than the policy does; its group is not set. */
    public void make(UnixSocket socket) throws IOException {
        if (policy.mode().isPresent()) {
            // Its future group may do more than the group that it has at first.
            int mode = policy.mode().getAsInt();
            int allowed = policy.group().isEmpty() ? mode : mode & ~ALL_OF_GROUP;
            check(SocketFiles.restrictMode(socket.intValue(), allowed), null);
        }
        if (policy.existing() == SocketFilePolicy.Existing.REPLACE_ATOMICALLY) {
            bindTemporarily(socket);
        } else {
            bindAt(socket, address, policy.existing());
        }
    }

    /** Binds the socket to the first of the temporary names that no other server uses. */
    private void bindTemporarily(UnixSocket socket) throws IOException {
        requireSocket(Status.of(address));
        byte[] name = SocketName.lastName(SocketName.bytesOf(address));
        for (int i = 0;; i++) {
            byte[] suffix = ("." + i).getBytes(StandardCharsets.US_ASCII);
            byte[] temporary = new byte[1 + name.length + suffix.length];
            temporary[0] = '.';
            System.arraycopy(name, 0, temporary, 1, name.length);
            System.arraycopy(suffix, 0, temporary, 1 + name.length, suffix.length);
            try {
                bindAt(socket, SocketName.sibling(address, temporary), SocketFilePolicy.Existing.REPLACE_STALE);
                return;
            } catch (IOException e) {
                if (i + 1 == TEMPORARY_NAMES || ((UnixSocketError) e).errno() != Errno.EADDRINUSE) {
                    throw e;
                }
            }
        }
    }

    private void bindAt(UnixSocket socket, UnixSocketAddress where, SocketFilePolicy.Existing existing)
            throws IOException {
        try (SocketName name = SocketName.of(Operation.BIND, type, where)) {
            int result = socket.bind(name.bytes());
            if (result == -Errno.EADDRINUSE && existing != SocketFilePolicy.Existing.FAIL) {
                makeRoom(where, existing == SocketFilePolicy.Existing.REPLACE_STALE);
                result = socket.bind(name.bytes());
                if (result == -Errno.EADDRINUSE) {
                    throw inUse("another process has taken the path meanwhile");
                }
            }
            check(result, null);
            place = where;
        }
    }

    /** Removes the socket that is there, or refuses to. */
    private void makeRoom(UnixSocketAddress where, boolean staleOnly) throws IOException {
        // As long as it is open, its inode number is not given to another file.
        int fd = SocketFiles.open(CString.of(SocketName.bytesOf(where)));
        if (fd == -Errno.ENOENT) {
            return;
        }
        if (fd != -Errno.ENOTSUP) {
            check(fd, "the file that is there cannot be looked at");
        }
        try {
            Status there = Status.of(fd, where);
            if (there == null) {
                return;
            }
            // A regular file refuses a connect just as a stale socket does.
            requireSocket(there);
            if (staleOnly) {
                requireStale(probe(type, where));
            }
            int result = there.isSameFile(Status.of(where)) ? remove(type, where, there, staleOnly) : 0;
            if (result < 0 && result != -Errno.ENOENT) {
                throw inUse((staleOnly ? "a stale socket" : "a socket") + " that cannot be removed: "
                        + errnoName(result));
            }
        } finally {
            close(fd);
        }
    }

    /** Nothing else may be replaced, nor what cannot be looked at. */
    private void requireSocket(Status existing) throws IOException {
        if (existing != null && existing.errno != 0) {
            throw failure(existing.errno, "the file that is there cannot be looked at");
        }
        if (existing != null && !existing.isSocket) {
            throw inUse("there is a file that is no socket");
        }
    }

    private static int probe(SocketType type, UnixSocketAddress where) throws IOException {
        try (SocketName name = SocketName.of(Operation.BIND, type, where)) {
            return SocketFiles.probe(name.bytes());
        }
    }

    private void requireStale(int answer) throws IOException {
        if (answer == -Errno.ECONNREFUSED || answer == -Errno.ENOENT) {
            return;
        }
        if (answer == 0 || answer == -Errno.EPROTOTYPE || answer == -Errno.EPERM) {
            throw inUse("there is a live socket");
        }
        if (answer == -Errno.EACCES) {
            throw inUse("there is a socket that we may not connect to, to see whether it is live");
        }
        throw failure(answer, "whether the socket that is there is live cannot be determined");
    }

    /**
     * Removes a file if it is the expected one. A file that has taken its place meanwhile stays, as does a socket that
     * looked stale because it was just being bound.
     *
     * @return 0, or the negative errno of a file that cannot be removed
     */
    public static int remove(SocketType type, UnixSocketAddress where, Status expected, boolean staleOnly) {
        byte[] path = CString.of(SocketName.bytesOf(where));
        UnixSocketAddress aside = SocketName.sibling(where, String.format(".nettyunix-%016x",
                ThreadLocalRandom.current().nextLong()).getBytes(StandardCharsets.US_ASCII));
        byte[] asidePath = CString.of(SocketName.bytesOf(aside));
        if (SocketFiles.rename(path, asidePath, SocketFiles.NO_REPLACE) < 0
                && SocketFiles.rename(path, asidePath, 0) < 0) {
            // A full disk can have no room for another name; all other reasons hold for its removal too.
            return expected.isSameFile(Status.of(where)) ? SocketFiles.remove(path) : 0;
        }
        int removed = 0;
        if (expected.isSameFile(Status.of(aside)) && !(staleOnly && isHeld(type, aside))) {
            removed = SocketFiles.remove(asidePath);
            if (removed == 0) {
                return 0;
            }
        }
        // Also if it cannot be removed: nobody would find it under the other name.
        putBack(asidePath, path, where);
        return removed;
    }

    private static boolean isHeld(SocketType type, UnixSocketAddress where) {
        try {
            int answer = probe(type, where);
            return answer != -Errno.ECONNREFUSED && answer != -Errno.ENOENT;
        } catch (IOException e) {
            return true;
        }
    }

    /**
     * If a third file has appeared at the path meanwhile, the file that was moved aside stays there: it is not ours to
     * delete.
     */
    private static void putBack(byte[] aside, byte[] path, UnixSocketAddress where) {
        int result = SocketFiles.rename(aside, path, SocketFiles.NO_REPLACE);
        if (result < 0 && result != -Errno.EEXIST) {
            // The file system has no such rename.
            if (SocketFiles.link(aside, path) == 0) {
                SocketFiles.remove(aside);
            } else if (Status.of(where) == null) {
                SocketFiles.rename(aside, path, 0);
            }
        }
    }

    /** Gives the file that was just made its mode and group, and remembers which file it is. */
    public void protect(UnixSocket socket) throws IOException {
        if (policy.mode().isEmpty()) {
            status = Status.of(place);
            return;
        }
        int mode = policy.mode().getAsInt();
        int file = SocketFiles.openBound(socket.intValue());
        boolean isCertain = file >= 0;
        if (!isCertain) {
            file = SocketFiles.open(CString.of(SocketName.bytesOf(place)));
        }
        try {
            Status found = Status.of(file, place);
            if (found == null) {
                // The file was removed at once: nobody can connect, and there is nothing left to clean up.
                return;
            }
            check(-found.errno, "the socket's file cannot be looked at");
            if (!isCertain) {
                requireOurs(socket, file, found);
            }
            status = found;
            byte[] path = CString.of(SocketName.bytesOf(place));
            int gid = policy.group().orElse(found.gid);
            if (gid != found.gid) {
                String hint = "the file's group cannot be set to " + Integer.toUnsignedString(gid);
                check(SocketFiles.changeGroup(file, path, gid), hint);
            }
            if (mode != found.mode) {
                check(SocketFiles.changeMode(file, path, mode), "the file's mode cannot be set");
            }
        } catch (IOException e) {
            removeIfThere();
            throw e;
        } finally {
            close(file);
        }
    }

    /**
     * Refuses a file that may not be the socket's. Another user who may write to the folder can replace our file by any
     * other, whose mode and group would then be changed. So the file must be the one that the kernel reports for the
     * socket. If the kernel does not report it, because sock_diag(7) is forbidden or does not exist, no other user may
     * be able to write to the folder.
     */
    private void requireOurs(UnixSocket socket, int file, Status found) throws IOException {
        int answer = file < 0 ? -Errno.ENOTSUP : SocketFiles.isBoundTo(socket.intValue(), file);
        if (answer == 0 || !found.isSocket) {
            throw inUse("another file has taken the socket's place");
        }
        if (answer < 0 && !(found.uid == UnixCredentials.ofThisProcess().uid() && isFolderSafe())) {
            throw failure(Errno.EPERM, "other users may write to the folder, and whether the file is still the "
                    + "socket's cannot be determined");
        }
    }

    /** Whether no other user can rename or remove our file. */
    private boolean isFolderSafe() {
        int folder = SocketFiles.openDirectory(CString.of(SocketName.folder(SocketName.bytesOf(place))), false);
        if (folder < 0) {
            return false;
        }
        try {
            Status found = Status.of(folder, place);
            if (found == null || found.errno != 0) {
                return false;
            }
            boolean isOwnerTrusted = found.uid == 0 || found.uid == UnixCredentials.ofThisProcess().uid();
            return isOwnerTrusted && ((found.mode & 0022) == 0 || (found.mode & 01000) != 0);
        } finally {
            close(folder);
        }
    }

    /**
     * Moves a file with a temporary name to its path. Must be called when the socket listens, because it refuses
     * clients before.
     */
    public void publish() throws IOException {
        if (place == address) {
            return;
        }
        byte[] temporary = CString.of(SocketName.bytesOf(place));
        byte[] path = CString.of(SocketName.bytesOf(address));
        try (FolderLock lock = FolderLock.of(address)) {
            int result;
            do {
                // The previous file is then at the temporary name, where it can be checked: it may not be a socket.
                result = SocketFiles.rename(temporary, path, SocketFiles.EXCHANGE);
                if (result == 0) {
                    try {
                        requireSocket(Status.of(place));
                    } catch (IOException e) {
                        SocketFiles.rename(temporary, path, SocketFiles.EXCHANGE);
                        throw e;
                    }
                    SocketFiles.remove(temporary);
                } else if (result == -Errno.ENOENT) {
                    result = SocketFiles.rename(temporary, path, SocketFiles.NO_REPLACE);
                }
            } while (result == -Errno.EEXIST);
            if (result == -Errno.EINVAL || result == -Errno.ENOSYS) {
                // The system or the file system cannot exchange files. A file that appears at the path after this check
                // is replaced.
                requireSocket(Status.of(address));
                result = SocketFiles.rename(temporary, path, 0);
            }
            check(result, "the socket cannot be moved to its path");
            place = address;
        }
    }

    /**
     * Removes the file if it is still the one that was created. Must be called before the socket is closed, because
     * inodes are reused.
     */
    public void remove() {
        if (status != null && !(policy.isKeptOnClose() && place == address)) {
            try (FolderLock lock = FolderLock.of(place)) {
                removeIfThere();
            }
        }
    }

    private void removeIfThere() {
        if (status != null && status.isSameFile(Status.of(place))) {
            remove(type, place, status, false);
        }
        status = null;
    }

    private void check(int result, String hint) throws IOException {
        if (result < 0) {
            throw failure(result, hint);
        }
    }

    private IOException failure(int errno, String hint) {
        return SocketErrors.newException(Operation.BIND, type, address, errno, hint);
    }

    private IOException inUse(String hint) {
        return failure(Errno.EADDRINUSE, hint);
    }

    private static String errnoName(int result) {
        String name = Errno.name(-result);
        return name == null ? "errno " + -result : name;
    }

    private static void close(int fd) {
        if (fd >= 0) {
            try {
                new FileDescriptor(fd).close();
            } catch (IOException ignored) {
                // The descriptor is released all the same, and nothing was written through it.
            }
        }
    }
}
