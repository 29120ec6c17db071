package io.github.nettyunix.faults;

import java.util.List;
import java.util.stream.Stream;

import static io.github.nettyunix.faults.Reaction.CLOSES;
import static io.github.nettyunix.faults.Reaction.DROPS_CONNECTION;
import static io.github.nettyunix.faults.Reaction.ENDS_CONNECTION;
import static io.github.nettyunix.faults.Reaction.FAILS_AND_CLOSES;
import static io.github.nettyunix.faults.Reaction.FAILS_WRITE;
import static io.github.nettyunix.faults.Reaction.GOES_ON;
import static io.github.nettyunix.faults.Reaction.WAITS;

/** Channels whose records go through memory: the handshake, and the socket that wakes the peer. */
final class SharedMemoryFaults {
    private static final SystemCall SENDTO = SystemCall.of("sendto");
    private static final SystemCall SENDMSG = SystemCall.of("sendmsg");
    private static final SystemCall RECVMSG = SystemCall.of("recvmsg");
    private static final SystemCall RECVMMSG = SystemCall.of("recvmmsg");
    private static final SystemCall MEMFD_CREATE = SystemCall.of("memfd_create");
    private static final SystemCall FTRUNCATE = SystemCall.of("ftruncate");
    private static final SystemCall F_ADD_SEALS = SystemCall.of("fcntl").with("F_ADD_SEALS", 1, 1033);
    private static final SystemCall F_GET_SEALS = SystemCall.of("fcntl").with("F_GET_SEALS", 1, 1034);
    private static final SystemCall FSTATFS = SystemCall.of("fstatfs");
    private static final SystemCall STATX = SystemCall.of("statx");
    private static final SystemCall MAP_PRIVATE = SystemCall.of("mmap").with("PROT_NONE", 2, 0);
    private static final SystemCall MAP_SHARED = SystemCall.of("mmap").with("MAP_SHARED | MAP_FIXED", 3, 0x11);
    private static final SystemCall CLOSE = SystemCall.of("close");

    private static final String ON_MEMFD = "EFAULT EMFILE ENFILE ENOMEM EPERM EACCES ENOSYS";
    private static final String ON_SIZE = "EBADF EFBIG EINVAL EIO ENOSPC EPERM ETXTBSY ENOSYS";
    private static final String ON_SEALS = "EBADF EBUSY EINVAL EPERM ENOSYS";
    private static final String ON_FSTATFS = "EACCES EBADF EFAULT EIO ENOMEM EOVERFLOW EPERM ENOSYS";
    private static final String ON_STATX = "EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR";
    private static final String ON_MMAP = "EACCES EAGAIN EBADF EEXIST EINVAL ENFILE ENODEV ENOMEM EOVERFLOW EPERM "
            + "ENOSYS";
    private static final String ON_SEND = "EACCES EBADF EDESTADDRREQ EFAULT EINVAL EISCONN EMSGSIZE ENOSYS ENOTSOCK "
            + "EOPNOTSUPP EPERM";
    private static final String ON_RECEIVE = "EBADF ECONNREFUSED EFAULT EINVAL ENOMEM ENOSYS ENOTCONN ENOTSOCK EPERM";

    private SharedMemoryFaults() {
    }

    private static List<Row> ofHandshake(boolean accepts, Reaction reaction) {
        Workload workload = new Handshaking(accepts);
        return List.of(
                // EINVAL also says that there are no files that nobody can execute.
                Row.of(MEMFD_CREATE, workload).when(GOES_ON, "EINTR").whenRepeated(GOES_ON, reaction, "EINVAL")
                        .when(reaction, ON_MEMFD),
                Row.of(FTRUNCATE, workload).when(GOES_ON, "EINTR").when(reaction, ON_SIZE),
                Row.of(F_ADD_SEALS, workload).when(GOES_ON, "EINTR").when(reaction, ON_SEALS),
                Row.of(F_GET_SEALS, workload).when(GOES_ON, "EINTR").when(reaction, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(FSTATFS, workload).when(GOES_ON, "EINTR").when(reaction, ON_FSTATFS),
                Row.of(STATX, workload).when(GOES_ON, "ENOSYS EPERM").when(reaction, ON_STATX),
                Row.of(MAP_PRIVATE, workload).when(reaction, ON_MMAP),
                Row.of(MAP_SHARED, workload).when(reaction, ON_MMAP),
                Row.of(SENDMSG, workload).when(GOES_ON, "EINTR").when(reaction, ON_SEND, "EPIPE ENOTCONN ECONNRESET "
                        + "ENOBUFS ENOMEM"),
                Row.of(RECVMSG, workload).when(GOES_ON, "EINTR").when(WAITS, "EAGAIN").when(reaction, ON_RECEIVE),
                Row.of(SystemCall.of("munmap"), workload).when(GOES_ON, "EINVAL ENOMEM EPERM ENOSYS"),
                Row.of(CLOSE, workload).when(GOES_ON, "EINTR EIO EBADF ENOSPC EDQUOT"));
    }

    static List<Row> rows() {
        return Stream.of(ofHandshake(false, FAILS_AND_CLOSES), ofHandshake(true, DROPS_CONNECTION),
                List.of(
                        Row.of(SENDTO, Traffic.inMemory(false)).when(GOES_ON, "EINTR").when(WAITS, "ENOBUFS ENOMEM")
                                .when(CLOSES, ON_SEND),
                        Row.of(SENDMSG, Traffic.inMemory(true)).when(GOES_ON, "EINTR")
                                .when(WAITS, "EAGAIN ETOOMANYREFS").when(FAILS_WRITE, ON_SEND, "ENOBUFS ENOMEM")
                                .when(ENDS_CONNECTION, "EPIPE ENOTCONN ECONNRESET"),
                        Row.of(RECVMMSG, Traffic.inMemory(false)).when(GOES_ON, "EINTR ECONNRESET")
                                .when(WAITS, "EAGAIN").when(CLOSES, ON_RECEIVE),
                        // What comes with a record is there before the record. What has come is not lost by a failure;
                        // the next call reports it if it lasts.
                        Row.of(RECVMSG, Traffic.inMemory(true)).when(GOES_ON, "EINTR ECONNRESET")
                                .when(CLOSES, ON_RECEIVE).later(GOES_ON))).flatMap(List::stream).toList();
    }
}
