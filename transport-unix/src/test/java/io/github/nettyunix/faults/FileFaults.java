package io.github.nettyunix.faults;

import io.github.nettyunix.faults.Serving.Place;
import io.github.nettyunix.faults.Serving.Stage;

import java.util.List;

import static io.github.nettyunix.SocketType.STREAM;
import static io.github.nettyunix.faults.Reaction.FAILS;
import static io.github.nettyunix.faults.Reaction.FAILS_AND_CLOSES;
import static io.github.nettyunix.faults.Reaction.FAILS_AND_LEAVES_FILE;
import static io.github.nettyunix.faults.Reaction.GOES_ON;
import static io.github.nettyunix.faults.Reaction.LEAVES_FILE;

/** The files of sockets. */
final class FileFaults {
    private static final SystemCall OPEN_FOLDER = SystemCall.of("openat", "open")
            .withFlags("O_DIRECTORY", 2, Flags.O_DIRECTORY);
    private static final SystemCall OPEN_LONG = SystemCall.of("openat", "open")
            .withFlags("O_PATH | O_DIRECTORY", 2, Flags.O_PATH | Flags.O_DIRECTORY);
    private static final SystemCall OPEN_FILE = SystemCall.of("openat", "open")
            .withFlags("O_PATH", 2, Flags.O_PATH | Flags.O_NOFOLLOW);
    private static final SystemCall FLOCK = SystemCall.of("flock");
    static final SystemCall LSTAT = SystemCall.of("lstat", "newfstatat", "statx");
    static final SystemCall FSTAT = SystemCall.of("fstat", "newfstatat");
    static final SystemCall UNLINK = SystemCall.of("unlink", "unlinkat");
    private static final SystemCall RENAME_TO_FREE = SystemCall.of("renameat2").with("RENAME_NOREPLACE", 4, 1);
    private static final SystemCall EXCHANGE = SystemCall.of("renameat2").with("RENAME_EXCHANGE", 4, 2);
    private static final SystemCall FCHMOD = SystemCall.of("fchmod");
    private static final SystemCall FCHMODAT2 = SystemCall.of("fchmodat2");
    private static final SystemCall FCHOWNAT = SystemCall.of("fchownat");
    private static final SystemCall SIOCUNIXFILE = SystemCall.of("ioctl").with("SIOCUNIXFILE", 1, 0x89E0);
    private static final SystemCall PROBE_SOCKET = SystemCall.of("socket").with("SOCK_DGRAM", 1, 2 | Flags.SOCK_FLAGS);
    private static final SystemCall CONNECT = SystemCall.of("connect");
    private static final SystemCall GETSOCKNAME = SystemCall.of("getsockname");

    private static final String ON_OPEN = "EACCES ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOTDIR EPERM ENOSYS";
    private static final String ON_STAT = "EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOMEM ENOTDIR EOVERFLOW "
            + "EPERM ENOSYS";
    private static final String ON_RENAME = "EACCES EBUSY EDQUOT EINVAL ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM "
            + "ENOSPC ENOTDIR EPERM EROFS EXDEV ENOSYS";
    private static final String ON_UNLINK = "EACCES EBUSY EFAULT EIO EISDIR ELOOP ENAMETOOLONG ENOMEM ENOTDIR EPERM "
            + "EROFS ENOSYS";
    private static final String ON_CHANGE = "EACCES EFAULT EIO ELOOP ENAMETOOLONG ENOMEM ENOTDIR EPERM EROFS";

    private FileFaults() {
    }

    private static Serving bind(Place place) {
        return new Serving(STREAM, Stage.BIND, place);
    }

    private static Serving close(Place place) {
        return new Serving(STREAM, Stage.CLOSE, place);
    }

    static List<Row> rows() {
        return List.of(
                Row.of(OPEN_FOLDER, bind(Place.FREE)).when(GOES_ON, ON_OPEN, "EINTR"),
                Row.of(OPEN_LONG, bind(Place.LONG)).when(FAILS, ON_OPEN),
                Row.of(FLOCK, bind(Place.FREE)).when(GOES_ON, "EBADF EINTR EINVAL ENOLCK EAGAIN EPERM ENOSYS"),
                Row.of(GETSOCKNAME, bind(Place.FREE))
                        .when(GOES_ON, "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK EPERM ENOSYS"),
                Row.of(LSTAT, bind(Place.FREE)).when(LEAVES_FILE, ON_STAT),
                Row.of(LSTAT, close(Place.FREE)).when(LEAVES_FILE, ON_STAT, "ENOENT"),
                Row.of(RENAME_TO_FREE, close(Place.FREE)).when(GOES_ON, ON_RENAME),
                Row.of(UNLINK, close(Place.FREE)).when(LEAVES_FILE, ON_UNLINK, "ENOENT"),

                Row.of(OPEN_FILE, bind(Place.STALE)).when(FAILS, "EACCES ELOOP EMFILE ENAMETOOLONG ENFILE ENOMEM "
                        + "ENOTDIR EPERM ENOSYS"),
                Row.of(FSTAT, bind(Place.STALE)).when(FAILS, ON_STAT),
                Row.of(LSTAT, bind(Place.STALE)).when(FAILS, ON_STAT).named("EADDRINUSE"),
                Row.of(PROBE_SOCKET, bind(Place.STALE)).when(FAILS, "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS "
                        + "ENOMEM EPROTONOSUPPORT ENOSYS EPERM").named("EADDRINUSE"),
                Row.of(CONNECT, bind(Place.STALE)).when(GOES_ON, "EINTR").when(FAILS, "EACCES EADDRINUSE EADDRNOTAVAIL "
                        + "EAFNOSUPPORT EAGAIN EALREADY EBADF EFAULT EINPROGRESS EISCONN ENETUNREACH ENOTSOCK "
                        + "EPERM EPROTOTYPE ETIMEDOUT ENOSYS").named("EADDRINUSE"),
                Row.of(RENAME_TO_FREE, bind(Place.STALE)).when(GOES_ON, ON_RENAME),
                Row.of(UNLINK, bind(Place.STALE)).when(FAILS, ON_UNLINK).named("EADDRINUSE"),

                Row.of(FCHMOD, bind(Place.MODE)).when(FAILS, "EACCES EIO ELOOP ENAMETOOLONG ENOMEM ENOTDIR EPERM EROFS "
                        + "EBADF ENOSYS"),
                Row.of(SIOCUNIXFILE, bind(Place.MODE)).when(GOES_ON, "EBADF EFAULT EINVAL ENOTTY EPERM ENOENT EMFILE "
                        + "ENOSYS"),
                Row.of(FSTAT, bind(Place.MODE)).when(FAILS_AND_LEAVES_FILE, ON_STAT),
                Row.of(FCHMODAT2, bind(Place.MODE)).when(GOES_ON, ON_CHANGE, "EBADF EINVAL EOPNOTSUPP ENOSYS"),
                Row.of(FCHOWNAT, bind(Place.GROUP)).when(FAILS_AND_CLOSES, ON_CHANGE, "EBADF EINVAL ENOSYS")
                        .optional(),

                Row.of(LSTAT, bind(Place.REPLACED)).when(FAILS, ON_STAT),
                Row.of(EXCHANGE, bind(Place.REPLACED)).when(GOES_ON, "EINVAL ENOSYS")
                        .when(FAILS_AND_CLOSES, "EACCES EBUSY EDQUOT ELOOP EMLINK ENAMETOOLONG ENOMEM ENOSPC ENOTDIR "
                                + "EPERM EROFS EXDEV"),
                Row.of(UNLINK, bind(Place.REPLACED)).when(LEAVES_FILE, ON_UNLINK),
                Row.of(LSTAT, new Keeping(STREAM, true)).when(FAILS_AND_CLOSES, ON_STAT).named("EADDRINUSE"),
                Row.of(FSTAT, new Keeping(STREAM, false)).when(FAILS_AND_CLOSES, ON_STAT).named("EADDRINUSE"));
    }
}
