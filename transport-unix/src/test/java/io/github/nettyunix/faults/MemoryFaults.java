package io.github.nettyunix.faults;

import io.github.nettyunix.DescriptorWatch;
import io.github.nettyunix.EventCounter;
import io.github.nettyunix.SealedMemory;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixFileDescriptor.Seal;
import io.github.nettyunix.UnixTransport;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.Future;

import java.util.List;

import static io.github.nettyunix.faults.Reaction.FAILS;
import static io.github.nettyunix.faults.Reaction.GOES_ON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Memory that is shared, and descriptors that wake an event loop. */
final class MemoryFaults {
    private static final Workload SEALED_MEMFD = new Api("UnixFileDescriptor.memfd with seals", step -> {
        try (UnixFileDescriptor memory = step.call(() -> UnixFileDescriptor.memfd("memory", 10, Seal.SHRINK))) {
            assertEquals(10, memory.size());
            assertTrue(memory.seals().contains(Seal.SHRINK));
        }
    });

    private static final Workload MAP = new Api("SealedMemory.map", step -> {
        try (UnixFileDescriptor memory = UnixFileDescriptor.memfd("memory", 10, Seal.SHRINK)) {
            ByteBuf buffer = step.call(() -> SealedMemory.map(memory, 0, 10, true));
            buffer.setByte(9, 1).release();
        }
    });

    private static final Workload ADD = new Api("EventCounter.add", step -> {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(0, false)) {
            assertTrue(step.call(() -> EventCounter.add(eventFd, 3)));
            assertEquals(3, EventCounter.take(eventFd));
        }
    });

    private static final Workload TAKE = new Api("EventCounter.take", step -> {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(3, false)) {
            assertEquals(3, step.call(() -> EventCounter.take(eventFd)));
        }
    });

    private static final Workload WATCH = new Api("UnixTransport.watch", step -> {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(1, false)) {
            DescriptorWatch watch = step.call(() -> watch(eventFd));
            watch.closeFuture().sync();
        }
    });

    private static final Workload END = new Api("DescriptorWatch.close", step -> {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(0, false)) {
            step.call(() -> {
                DescriptorWatch watch = watch(eventFd);
                watch.close();
                return watch.closeFuture();
            }).sync();
        }
    });

    private static final SystemCall MEMFD_CREATE = SystemCall.of("memfd_create");
    private static final SystemCall F_ADD_SEALS = SystemCall.of("fcntl").with("F_ADD_SEALS", 1, 1033);
    private static final SystemCall F_GET_SEALS = SystemCall.of("fcntl").with("F_GET_SEALS", 1, 1034);
    private static final SystemCall F_GETFL = SystemCall.of("fcntl").with("F_GETFL", 1, 3);
    private static final SystemCall F_DUPFD = SystemCall.of("fcntl").with("F_DUPFD_CLOEXEC", 1, 1030);
    private static final SystemCall MAP_SHARED = SystemCall.of("mmap").with("MAP_SHARED", 3, 1);
    private static final SystemCall EPOLL_ADD = SystemCall.of("epoll_ctl").with("EPOLL_CTL_ADD", 1, 1);
    private static final SystemCall EPOLL_DEL = SystemCall.of("epoll_ctl").with("EPOLL_CTL_DEL", 1, 2);

    private static final String ON_STATX = "EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR";

    private MemoryFaults() {
    }

    /** Watches until the first event. On the loop's own thread, the future is complete at once. */
    private static DescriptorWatch watch(UnixFileDescriptor fd) throws Exception {
        Future<DescriptorWatch> watch = UnixTransport.watch(FaultyLoop.LOOP, fd, (it, event) -> it.close(),
                DescriptorWatch.Event.READ);
        if (watch.cause() instanceof Exception cause) {
            throw cause;
        }
        return watch.getNow();
    }

    static List<Row> rows() {
        return List.of(
                Row.of(MEMFD_CREATE, SEALED_MEMFD).when(GOES_ON, "EINTR")
                        .when(FAILS, "EFAULT EMFILE ENFILE ENOMEM EPERM EACCES ENOSYS"),
                Row.of(SystemCall.of("ftruncate"), SEALED_MEMFD).when(GOES_ON, "EINTR")
                        .when(FAILS, "EBADF EFBIG EINVAL EIO ENOSPC EPERM ETXTBSY ENOSYS"),
                Row.of(F_ADD_SEALS, SEALED_MEMFD).when(GOES_ON, "EINTR").when(FAILS, "EBADF EBUSY EINVAL EPERM ENOSYS"),
                Row.of(F_GET_SEALS, MAP).when(GOES_ON, "EINTR").when(FAILS, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(SystemCall.of("fstatfs"), MAP).when(GOES_ON, "EINTR")
                        .when(FAILS, "EACCES EBADF EFAULT EIO ENOMEM EOVERFLOW EPERM ENOSYS"),
                Row.of(SystemCall.of("statx"), MAP).when(GOES_ON, "ENOSYS EPERM").when(FAILS, ON_STATX),
                Row.of(MAP_SHARED, MAP)
                        .when(FAILS, "EACCES EAGAIN EBADF EEXIST EINVAL ENFILE ENODEV ENOMEM EOVERFLOW EPERM ENOSYS"),
                Row.of(F_GETFL, ADD).when(GOES_ON, "EINTR").when(FAILS, "EACCES EBADF EINVAL EPERM ENOSYS"),
                Row.of(SystemCall.of("write"), ADD).when(GOES_ON, "EINTR").when(FAILS, "EBADF EFAULT EINVAL EIO ENOSPC "
                        + "EPERM EPIPE ENOSYS"),
                Row.of(SystemCall.of("preadv2"), TAKE).when(GOES_ON, "EINTR EOPNOTSUPP ENOSYS")
                        .when(FAILS, "EBADF EFAULT EINVAL EIO EISDIR EPERM"),
                Row.of(F_DUPFD, WATCH).when(GOES_ON, "EINTR").when(FAILS, "EBADF EINVAL EMFILE ENOMEM EPERM ENOSYS"),
                Row.of(SystemCall.of("statx"), WATCH).when(GOES_ON, "ENOSYS EPERM").when(FAILS, ON_STATX),
                Row.of(EPOLL_ADD, WATCH).when(FAILS, "EBADF EEXIST EINVAL ELOOP ENOENT ENOMEM ENOSPC EPERM ENOSYS"),
                Row.of(EPOLL_DEL, END).when(GOES_ON, "EBADF EINVAL ENOENT ENOMEM ENOSYS"));
    }
}
