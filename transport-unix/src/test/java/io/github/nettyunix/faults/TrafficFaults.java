package io.github.nettyunix.faults;

import java.util.List;

import static io.github.nettyunix.SocketType.DATAGRAM;
import static io.github.nettyunix.SocketType.SEQPACKET;
import static io.github.nettyunix.SocketType.STREAM;
import static io.github.nettyunix.faults.Reaction.CLOSES;
import static io.github.nettyunix.faults.Reaction.ENDS_CONNECTION;
import static io.github.nettyunix.faults.Reaction.FAILS_WRITE;
import static io.github.nettyunix.faults.Reaction.GOES_ON;
import static io.github.nettyunix.faults.Reaction.REPORTS;
import static io.github.nettyunix.faults.Reaction.REPORTS_AT_END;
import static io.github.nettyunix.faults.Reaction.WAITS;

/** Sending and receiving. */
final class TrafficFaults {
    private static final SystemCall SENDTO = SystemCall.of("sendto");
    private static final SystemCall SENDMSG = SystemCall.of("sendmsg");
    private static final SystemCall SENDMMSG = SystemCall.of("sendmmsg");
    private static final SystemCall RECVFROM = SystemCall.of("recvfrom");
    private static final SystemCall RECVMSG = SystemCall.of("recvmsg");
    private static final SystemCall RECVMMSG = SystemCall.of("recvmmsg");

    private static final SystemCall SENDFILE = SystemCall.of("sendfile");
    private static final SystemCall FIONREAD = SystemCall.of("ioctl").with("FIONREAD", 1, 0x541B);
    private static final SystemCall EPOLL_WAIT = SystemCall.of("epoll_wait", "epoll_pwait", "epoll_pwait2");

    /** What send(2) and unix(7) list besides those that a row names, and what seccomp(2) filters return. */
    private static final String OF_MESSAGE = "EACCES EBADF EDESTADDRREQ EFAULT EINVAL EISCONN EMSGSIZE ENOBUFS ENOMEM "
            + "ENOSYS ENOTSOCK EOPNOTSUPP EPERM";
    private static final String OF_PEER = "EPIPE ENOTCONN";
    private static final String ON_EPOLL = "EBADF EEXIST EINVAL ELOOP ENOENT ENOMEM ENOSPC EPERM ENOSYS";
    private static final String ON_RECEIVE = "EBADF ECONNREFUSED EFAULT EINVAL ENOMEM ENOSYS ENOTCONN ENOTSOCK EPERM";

    private TrafficFaults() {
    }

    static List<Row> rows() {
        return List.of(
                Row.of(SENDTO, Traffic.plain(STREAM)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN ETOOMANYREFS")
                        .when(ENDS_CONNECTION, OF_MESSAGE, OF_PEER)
                        .when(CLOSES, "ECONNRESET"),
                Row.of(SENDMSG, Traffic.plain(STREAM)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN ETOOMANYREFS")
                        .when(ENDS_CONNECTION, OF_MESSAGE, OF_PEER)
                        .when(CLOSES, "ECONNRESET"),
                Row.of(SENDMSG, Traffic.withDescriptors(STREAM)).when(GOES_ON, "EINTR")
                        .when(WAITS, "EAGAIN ETOOMANYREFS").when(ENDS_CONNECTION, OF_MESSAGE, OF_PEER)
                        .when(CLOSES, "ECONNRESET"),
                Row.of(SENDMMSG, Traffic.withDescriptors(STREAM)).when(GOES_ON, "EINTR")
                        .when(WAITS, "EAGAIN ETOOMANYREFS").when(ENDS_CONNECTION, OF_MESSAGE, OF_PEER)
                        .when(CLOSES, "ECONNRESET"),
                Row.of(SENDTO, Traffic.plain(SEQPACKET)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN ETOOMANYREFS")
                        .when(FAILS_WRITE, OF_MESSAGE).when(ENDS_CONNECTION, OF_PEER).when(CLOSES, "ECONNRESET"),
                Row.of(SENDMMSG, Traffic.plain(SEQPACKET)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN ETOOMANYREFS")
                        .when(FAILS_WRITE, OF_MESSAGE).when(ENDS_CONNECTION, OF_PEER).when(CLOSES, "ECONNRESET"),
                Row.of(SENDMSG, Traffic.withDescriptors(SEQPACKET)).when(GOES_ON, "EINTR")
                        .when(WAITS, "EAGAIN ETOOMANYREFS").when(FAILS_WRITE, OF_MESSAGE)
                        .when(ENDS_CONNECTION, OF_PEER).when(CLOSES, "ECONNRESET"),
                Row.of(SENDMMSG, Traffic.withDescriptors(SEQPACKET)).when(GOES_ON, "EINTR")
                        .when(WAITS, "EAGAIN ETOOMANYREFS").when(FAILS_WRITE, OF_MESSAGE)
                        .when(ENDS_CONNECTION, OF_PEER).when(CLOSES, "ECONNRESET"),
                Row.of(SENDTO, Traffic.plain(DATAGRAM)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN ETOOMANYREFS")
                        .when(FAILS_WRITE, OF_MESSAGE, OF_PEER, "ECONNRESET ECONNREFUSED"),
                Row.of(SENDMMSG, Traffic.plain(DATAGRAM)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN ETOOMANYREFS")
                        .when(FAILS_WRITE, OF_MESSAGE, OF_PEER, "ECONNRESET ECONNREFUSED"),
                Row.of(SENDMSG, Traffic.withDescriptors(DATAGRAM)).when(GOES_ON, "EINTR")
                        .when(WAITS, "EAGAIN ETOOMANYREFS")
                        .when(FAILS_WRITE, OF_MESSAGE, OF_PEER, "ECONNRESET ECONNREFUSED"),
                Row.of(SENDMMSG, Traffic.withDescriptors(DATAGRAM)).when(GOES_ON, "EINTR")
                        .when(WAITS, "EAGAIN ETOOMANYREFS")
                        .when(FAILS_WRITE, OF_MESSAGE, OF_PEER, "ECONNRESET ECONNREFUSED"),

                Row.of(RECVFROM, Traffic.plain(STREAM)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN")
                        .when(CLOSES, ON_RECEIVE, "ECONNRESET"),
                Row.of(RECVMSG, Traffic.withDescriptors(STREAM)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN")
                        .when(CLOSES, ON_RECEIVE, "ECONNRESET"),
                // FIONREAD would say that there is something, other than EAGAIN does. The first call of a turn alone
                // decides whether there is; the second one looks where the descriptors are.
                Row.of(RECVMSG, new Traffic(STREAM, true, true, false)).when(GOES_ON, "EINTR")
                        .when(CLOSES, ON_RECEIVE, "ECONNRESET").later(GOES_ON),
                Row.of(RECVMMSG, Traffic.plain(SEQPACKET)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN")
                        .when(CLOSES, ON_RECEIVE).when(REPORTS_AT_END, "ECONNRESET"),
                Row.of(RECVMSG, Traffic.withDescriptors(SEQPACKET)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN")
                        .when(CLOSES, ON_RECEIVE).when(REPORTS_AT_END, "ECONNRESET"),
                Row.of(RECVMMSG, Traffic.plain(DATAGRAM)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN")
                        .when(REPORTS, ON_RECEIVE, "ECONNRESET"),
                Row.of(RECVMSG, Traffic.withDescriptors(DATAGRAM)).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN")
                        .when(REPORTS, ON_RECEIVE, "ECONNRESET"),

                Row.of(FIONREAD, new OutOfBand()).when(GOES_ON, "EINTR EBADF EFAULT EINVAL ENOTTY EPERM ENOSYS"),
                Row.of(SystemCall.of("statx"), Traffic.withDescriptors(STREAM)).when(GOES_ON, "EACCES EBADF EFAULT "
                        + "EINVAL ENOMEM ENOENT ENOTDIR EPERM ENOSYS EIO"),
                Row.of(SystemCall.of("fcntl").with("F_GET_SEALS", 1, 1034), Traffic.withDescriptors(SEQPACKET))
                        .when(GOES_ON, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(SystemCall.of("close"), Traffic.withDescriptors(SEQPACKET))
                        .when(GOES_ON, "EINTR EIO EBADF ENOSPC EDQUOT"),
                Row.of(SystemCall.of("close_range"), Traffic.withDescriptors(STREAM))
                        .when(GOES_ON, "EINVAL EMFILE ENOMEM EPERM ENOSYS"),
                Row.of(EPOLL_WAIT, Traffic.plain(STREAM)).when(GOES_ON, "EINTR"),

                Row.of(SENDFILE, new Region()).when(GOES_ON, "EINTR EINVAL ENOSYS").when(WAITS, "EAGAIN")
                        .when(ENDS_CONNECTION, "EBADF EFAULT EIO ENOMEM EOVERFLOW EPERM ESPIPE EPIPE"),
                Row.of(SystemCall.of("fcntl").with("F_GETFL", 1, 3), new Region()).when(GOES_ON, "EINTR")
                        .when(ENDS_CONNECTION, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(SystemCall.of("epoll_ctl").with("EPOLL_CTL_MOD", 1, 3), new Watching(STREAM))
                        .when(CLOSES, ON_EPOLL),
                Row.of(SystemCall.of("epoll_ctl").with("EPOLL_CTL_MOD", 1, 3), new Watching(SEQPACKET))
                        .when(CLOSES, ON_EPOLL),
                Row.of(SystemCall.of("epoll_ctl").with("EPOLL_CTL_MOD", 1, 3), new Watching(DATAGRAM))
                        .when(CLOSES, ON_EPOLL));
    }
}
