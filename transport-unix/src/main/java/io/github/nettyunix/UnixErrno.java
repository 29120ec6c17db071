package io.github.nettyunix;

import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The errors that this transport's system calls report, as constants for {@code ==} and {@code switch}. The same
 * constant has different numbers on different platforms; {@link UnixSocketError#errno()} is the number on this one.
 *
 * <p>Later versions may add constants for errors that are {@link #OTHER} now.
 *
 * @see UnixSocketError#error()
 * @see <a href="https://man7.org/linux/man-pages/man3/errno.3.html">errno(3)</a>
 */
public enum UnixErrno {
    /** The arguments and the environment of a program are too long. */
    E2BIG,
    /** Permission denied: by the mode of a file or a folder, or by a handler. */
    EACCES,
    /** The address is in use. */
    EADDRINUSE,
    /** The address cannot be assigned. */
    EADDRNOTAVAIL,
    /** The address, or the socket, is of another family. */
    EAFNOSUPPORT,
    /** The operation would have to wait: a datagram's recipient has no room, for example. */
    EAGAIN,
    /** The descriptor is closed. */
    EBADF,
    /** The file is in use. */
    EBUSY,
    /** The connection was aborted before it was accepted. */
    ECONNABORTED,
    /** Nobody listens at the address. */
    ECONNREFUSED,
    /** The peer has closed the connection without reading everything. */
    ECONNRESET,
    /** The user's quota of disk blocks or inodes is exhausted. */
    EDQUOT,
    /** The file exists already. */
    EEXIST,
    /** The file would become too large. */
    EFBIG,
    /** The argument, or the state of the socket, is invalid. */
    EINVAL,
    /** An input or output error. */
    EIO,
    /** The socket is connected already. */
    EISCONN,
    /** The file is a directory. */
    EISDIR,
    /** The path has too many symbolic links. */
    ELOOP,
    /** This process has reached its limit of descriptors (RLIMIT_NOFILE). */
    EMFILE,
    /** The message is longer than the socket, or {@link UnixSocketOption#MAX_MESSAGE_SIZE}, permits. */
    EMSGSIZE,
    /** The path is too long. */
    ENAMETOOLONG,
    /** The system has reached its limit of open files. */
    ENFILE,
    /** The kernel has no buffer space left. */
    ENOBUFS,
    /** There is no such device. */
    ENODEV,
    /** There is no such file or directory. */
    ENOENT,
    /** The file is not a program that the system can execute. */
    ENOEXEC,
    /** There is not enough memory. */
    ENOMEM,
    /** The socket has no such option. */
    ENOPROTOOPT,
    /** There is no space left, on the disk or for another watched socket. */
    ENOSPC,
    /** The kernel has no such system call. */
    ENOSYS,
    /** The socket is not connected. */
    ENOTCONN,
    /** A part of the path is not a directory. */
    ENOTDIR,
    /** The descriptor is not a socket. */
    ENOTSOCK,
    /** There is no such device or address. */
    ENXIO,
    /** The operation is not supported. Also stands for ENOTSUP, which is the same number on Linux. */
    EOPNOTSUPP,
    /** The value is too large for its type. */
    EOVERFLOW,
    /** The operation is not permitted. */
    EPERM,
    /** The peer, or this side, has ended the output of the connection. */
    EPIPE,
    /** The peer has broken a protocol, as that of {@link UnixSharedMemoryChannel}. */
    EPROTO,
    /** The platform has no sockets of this type. */
    EPROTONOSUPPORT,
    /** The socket at the address is of another type. */
    EPROTOTYPE,
    /** The result does not fit into the buffer. */
    ERANGE,
    /** The file system is read-only. */
    EROFS,
    /** There is no such process. */
    ESRCH,
    /** The operation has timed out. */
    ETIMEDOUT,
    /** Too many of the user's descriptors are in flight: sent, but not received yet. */
    ETOOMANYREFS,
    /** The program's file is open for writing. */
    ETXTBSY,
    /** The two paths are on different file systems. */
    EXDEV,
    /** Any other error; {@link UnixSocketError#errno()} and {@link UnixSocketError#errnoName()} identify it. */
    OTHER;

    private static final Map<String, UnixErrno> BY_NAME =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Enum::name, Function.identity()));

    /** Returns the constant of an error's symbolic name. */
    static UnixErrno of(String name) {
        return name.equals("ENOTSUP") ? EOPNOTSUPP : BY_NAME.getOrDefault(name, OTHER);
    }
}
