package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.faults.Serving.Place;
import io.github.nettyunix.faults.Serving.Stage;

import java.util.List;

import static io.github.nettyunix.SocketType.DATAGRAM;
import static io.github.nettyunix.SocketType.SEQPACKET;
import static io.github.nettyunix.SocketType.STREAM;
import static io.github.nettyunix.faults.Reaction.CLOSES;
import static io.github.nettyunix.faults.Reaction.DROPS_CONNECTION;
import static io.github.nettyunix.faults.Reaction.FAILS;
import static io.github.nettyunix.faults.Reaction.FAILS_AND_CLOSES;
import static io.github.nettyunix.faults.Reaction.GOES_ON;
import static io.github.nettyunix.faults.Reaction.REPORTS;
import static io.github.nettyunix.faults.Reaction.WAITS;

/** The life of sockets: bind, connect, accept, close. */
final class LifecycleFaults {
    private static final SystemCall SOCKET = SystemCall.of("socket").with("AF_UNIX", 0, 1);
    private static final SystemCall BIND = SystemCall.of("bind");
    private static final SystemCall LISTEN = SystemCall.of("listen");
    private static final SystemCall ACCEPT = SystemCall.of("accept4");
    private static final SystemCall CONNECT = SystemCall.of("connect");
    private static final SystemCall GETSOCKNAME = SystemCall.of("getsockname");
    private static final SystemCall CLOSE = SystemCall.of("close");
    private static final SystemCall EPOLL_ADD = SystemCall.of("epoll_ctl").with("EPOLL_CTL_ADD", 1, 1);
    private static final SystemCall EPOLL_DEL = SystemCall.of("epoll_ctl").with("EPOLL_CTL_DEL", 1, 2);

    private static final SystemCall F_GETFL = SystemCall.of("fcntl").with("F_GETFL", 1, 3);
    private static final SystemCall SETSOCKOPT = SystemCall.of("setsockopt");
    private static final SystemCall OPEN_FOLDER = SystemCall.of("openat", "open")
            .withFlags("O_PATH | O_DIRECTORY", 2, Flags.O_PATH | Flags.O_DIRECTORY);

    private static final String ON_ACCEPT = "ECONNABORTED EFAULT EMFILE ENFILE ENOBUFS ENOMEM EPROTO EPERM ENOSYS";
    private static final String ON_CONNECT = "EACCES EPERM EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EALREADY EBADF "
            + "ECONNREFUSED EFAULT EINPROGRESS EISCONN ENETUNREACH ENOTSOCK EPROTOTYPE ETIMEDOUT ENOENT ENOSYS";
    private static final String ON_SOCKET = "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT "
            + "ENOSYS EPERM";
    private static final String ON_EPOLL = "EBADF EEXIST EINVAL ELOOP ENOENT ENOMEM ENOSPC EPERM ENOSYS";

    private LifecycleFaults() {
    }

    private static Serving bind(SocketType type, Place place) {
        return new Serving(type, Stage.BIND, place);
    }

    private static Connecting connect(SocketType type) {
        return connect(type, false, false);
    }

    private static Connecting connect(SocketType type, boolean controlData, boolean longPath) {
        return new Connecting(type, Connecting.Stage.CONNECT, controlData, longPath);
    }

    static List<Row> rows() {
        return List.of(
                Row.of(SOCKET, bind(STREAM, Place.FREE)).when(FAILS_AND_CLOSES, ON_SOCKET),
                Row.of(SOCKET, bind(SEQPACKET, Place.FREE)).when(FAILS_AND_CLOSES, ON_SOCKET),
                Row.of(SOCKET, bind(DATAGRAM, Place.FREE)).when(FAILS_AND_CLOSES, ON_SOCKET),
                Row.of(BIND, bind(STREAM, Place.FREE)).whenRepeated(GOES_ON, FAILS, "EADDRINUSE")
                        .when(FAILS, "EACCES EBADF EINVAL ENOTSOCK "
                        + "EADDRNOTAVAIL EFAULT ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EROFS EPERM ENOSYS"),
                Row.of(EPOLL_ADD, bind(STREAM, Place.FREE)).when(FAILS_AND_CLOSES, ON_EPOLL),
                Row.of(LISTEN, bind(STREAM, Place.FREE)).when(FAILS_AND_CLOSES,
                        "EADDRINUSE EBADF ENOTSOCK EOPNOTSUPP ENOBUFS EPERM ENOSYS"),
                Row.of(GETSOCKNAME, bind(STREAM, Place.AUTOBIND)).when(FAILS_AND_CLOSES,
                        "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK EPERM ENOSYS"),
                Row.of(EPOLL_DEL, new Serving(STREAM, Stage.CLOSE, Place.FREE)).when(GOES_ON, ON_EPOLL),
                Row.of(CLOSE, new Serving(STREAM, Stage.CLOSE, Place.ABSTRACT)).when(GOES_ON, "EINTR")
                        .when(FAILS, "EIO EBADF ENOSPC EDQUOT EPERM"),
                Row.of(EPOLL_DEL, new Connecting(STREAM, Connecting.Stage.CLOSE, false, false)).when(GOES_ON, ON_EPOLL),
                Row.of(CLOSE, new Connecting(STREAM, Connecting.Stage.CLOSE, false, false)).when(GOES_ON, "EINTR")
                        .when(FAILS, "EIO EBADF ENOSPC EDQUOT EPERM"),
                Row.of(ACCEPT, new Accepting(STREAM, false)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN")
                        .when(REPORTS, ON_ACCEPT).when(CLOSES, "EBADF EINVAL ENOTSOCK EOPNOTSUPP"),
                Row.of(ACCEPT, new Accepting(SEQPACKET, false)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN")
                        .when(REPORTS, ON_ACCEPT).when(CLOSES, "EBADF EINVAL ENOTSOCK EOPNOTSUPP"),
                Row.of(F_GETFL, new Accepting(STREAM, false)).when(GOES_ON, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(EPOLL_ADD, new Accepting(STREAM, false)).when(DROPS_CONNECTION, ON_EPOLL),
                Row.of(SETSOCKOPT.with("SO_PASSCRED", 2, 16), new Accepting(STREAM, true))
                        .when(DROPS_CONNECTION, "EBADF EFAULT EINVAL ENOTSOCK ENOMEM EPERM ENOSYS"),
                Row.of(SETSOCKOPT.with("SO_TIMESTAMP", 2, 29), new Accepting(SEQPACKET, true))
                        .when(DROPS_CONNECTION, "EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK ENOMEM EPERM ENOSYS"),
                Row.of(SETSOCKOPT.with("SO_PASSSEC", 2, 34), new Accepting(SEQPACKET, false))
                        .when(GOES_ON, "EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK ENOMEM EPERM ENOSYS").optional(),

                Row.of(CONNECT, connect(STREAM)).when(WAITS, "EAGAIN").when(GOES_ON, "EINTR")
                        .when(FAILS_AND_CLOSES, ON_CONNECT),
                Row.of(CONNECT, connect(SEQPACKET)).when(WAITS, "EAGAIN").when(GOES_ON, "EINTR")
                        .when(FAILS_AND_CLOSES, ON_CONNECT),
                Row.of(CONNECT, connect(DATAGRAM)).when(WAITS, "EAGAIN").when(GOES_ON, "EINTR").when(FAILS, ON_CONNECT),
                Row.of(SOCKET, connect(STREAM)).when(FAILS_AND_CLOSES, ON_SOCKET),
                Row.of(F_GETFL, connect(STREAM)).when(GOES_ON, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(EPOLL_ADD, connect(STREAM)).when(FAILS_AND_CLOSES, ON_EPOLL),
                Row.of(EPOLL_ADD, connect(DATAGRAM)).when(FAILS_AND_CLOSES, ON_EPOLL),
                Row.of(GETSOCKNAME, connect(STREAM, true, false)).when(FAILS_AND_CLOSES,
                        "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK EPERM ENOSYS"),
                Row.of(OPEN_FOLDER, connect(STREAM, false, true)).when(FAILS_AND_CLOSES,
                        "EACCES ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOTDIR EPERM ENOSYS"));
    }
}
