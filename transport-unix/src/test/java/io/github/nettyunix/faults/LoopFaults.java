package io.github.nettyunix.faults;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.EventLoopGroup;

import java.util.List;
import java.util.concurrent.TimeUnit;

import static io.github.nettyunix.SocketType.DATAGRAM;
import static io.github.nettyunix.SocketType.SEQPACKET;
import static io.github.nettyunix.faults.Reaction.CLOSES;
import static io.github.nettyunix.faults.Reaction.FAILS;
import static io.github.nettyunix.faults.Reaction.GOES_ON;
import static io.github.nettyunix.faults.Reaction.REPORTS;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Event loops: what they open, and the memory that they map. */
final class LoopFaults {
    private static final int FLAGS = 3;
    private static final int PROTECTION = 2;
    /** PROT_READ and PROT_WRITE. */
    private static final int READ_WRITE = 3;
    /** MAP_PRIVATE, MAP_ANONYMOUS and MAP_NORESERVE, as only the slots for records have them. */
    private static final int SLOTS = 0x4022;

    private static final Workload GROUP = new Api("new event loop group", step -> {
        EventLoopGroup group = step.call(() -> Loops.newGroup(1));
        group.shutdownGracefully(0, Outcome.TIMEOUT_SECONDS, TimeUnit.SECONDS).sync();
    });

    private static final Workload CREDENTIALS = new Api("UnixCredentials.ofThisProcess",
            step -> assertTrue(step.call(UnixCredentials::ofThisProcess).pid() > 0));

    private static final String ON_OPEN = "EINVAL EMFILE ENFILE ENOMEM EPERM ENOSYS";

    private LoopFaults() {
    }

    static List<Row> rows() {
        SystemCall slots = SystemCall.of("mmap").with("MAP_NORESERVE", FLAGS, SLOTS)
                .with("PROT_WRITE", PROTECTION, READ_WRITE);
        return List.of(
                Row.of(SystemCall.of("epoll_create1"), GROUP).when(FAILS, ON_OPEN),
                Row.of(SystemCall.of("eventfd2"), GROUP).when(FAILS, ON_OPEN, "ENODEV"),
                Row.of(SystemCall.of("timerfd_create"), GROUP).when(FAILS, ON_OPEN, "ENODEV"),
                Row.of(SystemCall.of("getgroups"), CREDENTIALS).when(GOES_ON, "EFAULT EINVAL EPERM ENOSYS"),
                Row.of(slots, new Reading(SEQPACKET)).when(CLOSES, "EACCES EAGAIN EINVAL ENFILE ENOMEM EPERM ENOSYS"),
                Row.of(slots, new Reading(DATAGRAM)).when(REPORTS, "EACCES EAGAIN EINVAL ENFILE ENOMEM EPERM ENOSYS"),
                Row.of(SystemCall.of("madvise").with("MADV_NOHUGEPAGE", 2, 15), new Reading(DATAGRAM))
                        .when(GOES_ON, "EACCES EAGAIN EBADF EINVAL EIO ENOMEM EPERM ENOSYS"),
                Row.of(SystemCall.of("mincore"), new Reading(DATAGRAM))
                        .when(GOES_ON, "EAGAIN EFAULT EINVAL ENOMEM EPERM ENOSYS"));
    }
}
