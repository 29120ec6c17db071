package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.testing.Content;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;

import static io.github.nettyunix.faults.Reaction.FAILS;
import static io.github.nettyunix.faults.Reaction.GOES_ON;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** The methods of UnixFileDescriptor. */
final class DescriptorFaults {
    private static final String TEXT = "content";

    private static final Workload OPEN = new Api("UnixFileDescriptor.open", step -> {
        Path file = Files.createTempFile("faults", "");
        try {
            Files.writeString(file, TEXT);
            check(step.call(() -> UnixFileDescriptor.open(file, StandardOpenOption.READ)));
        } finally {
            Files.delete(file);
        }
    });

    private static final Workload DUP = new Api("UnixFileDescriptor.dup", step -> {
        try (UnixFileDescriptor file = Content.labelled(TEXT)) {
            check(step.call(() -> UnixFileDescriptor.dup(file)));
        }
    });

    private static final Workload MEMFD = new Api("UnixFileDescriptor.memfd with content",
            step -> check(step.call(() -> Content.labelled(TEXT))));

    private static final Workload SIZED_MEMFD = new Api("UnixFileDescriptor.memfd with a size", step -> {
        try (UnixFileDescriptor file = step.call(() -> UnixFileDescriptor.memfd(TEXT, 10))) {
            assertEquals(10, file.size());
        }
    });

    private static final Workload EVENTFD = new Api("UnixFileDescriptor.eventFd",
            step -> step.call(() -> UnixFileDescriptor.eventFd(1, false)).close());

    static final Workload SOCKET_PAIR = new Api("UnixFileDescriptor.socketPair", step -> {
        List<UnixFileDescriptor> pair = step.call(() -> UnixFileDescriptor.socketPair(SocketType.STREAM));
        for (UnixFileDescriptor fd : pair) {
            String flags = Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd.intValue())).get(1);
            assertEquals(0, Integer.parseInt(flags.substring(6).trim(), 8) & Flags.O_NONBLOCK, "it does not block");
            fd.close();
        }
    });

    private static final Workload TYPE = new Api("UnixFileDescriptor.type", step -> {
        try (UnixFileDescriptor file = Content.labelled(TEXT)) {
            assertEquals(UnixFileDescriptor.Type.MEMFD, step.call(file::type));
        }
    });

    private static final Workload SET_BLOCKING = new Api("UnixFileDescriptor.setBlocking", step -> {
        try (UnixFileDescriptor file = Content.labelled(TEXT)) {
            step.call(() -> {
                file.setBlocking(true);
                return null;
            });
        }
    });

    private static final Workload SEAL = new Api("UnixFileDescriptor.seal", step -> {
        try (UnixFileDescriptor file = UnixFileDescriptor.memfd(TEXT, 10)) {
            step.call(() -> {
                file.seal(UnixFileDescriptor.Seal.SHRINK);
                return null;
            });
            assertEquals(Set.of(UnixFileDescriptor.Seal.SHRINK), file.seals());
        }
    });

    private static final Workload SEALS = new Api("UnixFileDescriptor.seals", step -> {
        try (UnixFileDescriptor file = UnixFileDescriptor.memfd(TEXT, 10)) {
            file.seal(UnixFileDescriptor.Seal.SHRINK);
            assertEquals(Set.of(UnixFileDescriptor.Seal.SHRINK), step.call(file::seals));
        }
    });

    private static final Workload TO_FILE_CHANNEL = new Api("UnixFileDescriptor.toFileChannel", step -> {
        try (UnixFileDescriptor file = Content.labelled(TEXT)) {
            try (FileChannel channel = step.call(() -> file.toFileChannel(StandardOpenOption.READ))) {
                assertEquals(TEXT.length(), channel.size());
            }
        }
    });

    private static final Workload CLOSE = new Api("UnixFileDescriptor.close", step -> {
        UnixFileDescriptor file = Content.labelled(TEXT);
        step.call(() -> {
            file.close();
            return null;
        });
    });

    private static final SystemCall OPENAT = SystemCall.of("openat", "open");
    private static final SystemCall DUP3 = SystemCall.of("dup3");
    private static final SystemCall FCNTL = SystemCall.of("fcntl");
    private static final SystemCall F_DUPFD = FCNTL.with("F_DUPFD_CLOEXEC", 1, 1030);
    private static final SystemCall F_GETFL = FCNTL.with("F_GETFL", 1, 3);
    static final SystemCall F_SETFL = FCNTL.with("F_SETFL", 1, 4);
    private static final SystemCall F_ADD_SEALS = FCNTL.with("F_ADD_SEALS", 1, 1033);
    private static final SystemCall F_GET_SEALS = FCNTL.with("F_GET_SEALS", 1, 1034);

    private static final String ON_OPEN = "EACCES EBUSY EDQUOT EEXIST EFAULT EFBIG EINVAL EISDIR ELOOP EMFILE "
            + "ENAMETOOLONG ENFILE ENODEV ENOENT ENOMEM ENOSPC ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM EROFS ETXTBSY "
            + "EAGAIN ENOSYS";
    private static final String ON_DUP = "EBADF EBUSY EINTR EINVAL EMFILE ENOMEM EPERM ENOSYS";
    private static final String ON_SEALS = "EBADF EBUSY EINVAL EPERM ENOSYS";

    private DescriptorFaults() {
    }

    private static void check(UnixFileDescriptor file) throws Exception {
        try (file) {
            assertEquals(TEXT, Content.label(file));
        }
    }

    static List<Row> rows() {
        return List.of(
                Row.of(OPENAT, OPEN).when(GOES_ON, "EINTR").when(FAILS, ON_OPEN),
                Row.of(F_DUPFD, DUP).when(GOES_ON, "EINTR").when(FAILS, "EBADF EINVAL EMFILE ENOMEM EPERM ENOSYS"),
                Row.of(SystemCall.of("memfd_create"), MEMFD).when(GOES_ON, "EINTR")
                        .when(FAILS, "EFAULT EINVAL EMFILE ENFILE ENOMEM EPERM EACCES ENOSYS"),
                Row.of(OPENAT, MEMFD).when(FAILS, ON_OPEN),
                Row.of(DUP3, MEMFD).when(FAILS, ON_DUP),
                Row.of(SystemCall.of("pwrite64"), MEMFD).when(GOES_ON, "EINTR").when(FAILS, "EBADF EDQUOT EFAULT EFBIG "
                        + "EINVAL EIO ENOSPC EPERM ENXIO EOVERFLOW ESPIPE ENOSYS"),
                Row.of(SystemCall.of("lseek"), MEMFD).when(FAILS, "EBADF EINVAL ENXIO EOVERFLOW ESPIPE EPERM ENOSYS"),
                Row.of(F_ADD_SEALS, MEMFD).when(GOES_ON, "EINTR").when(FAILS, ON_SEALS),
                Row.of(SystemCall.of("ftruncate"), SIZED_MEMFD).when(GOES_ON, "EINTR")
                        .when(FAILS, "EBADF EFBIG EINVAL EIO ENOSPC EPERM ETXTBSY ENOSYS"),
                Row.of(SystemCall.of("eventfd2"), EVENTFD).when(GOES_ON, "EINTR")
                        .when(FAILS, "EINVAL EMFILE ENFILE ENODEV ENOMEM EPERM ENOSYS"),
                Row.of(SystemCall.of("socketpair"), SOCKET_PAIR).when(GOES_ON, "EINTR")
                        .when(FAILS, "EAFNOSUPPORT EFAULT EMFILE ENFILE ENOMEM ENOBUFS EOPNOTSUPP EPROTONOSUPPORT "
                                + "EPERM EACCES ENOSYS"),
                Row.of(F_GETFL, SOCKET_PAIR).when(GOES_ON, "EINTR").when(FAILS, "EACCES EBADF EINVAL EPERM ENOSYS"),
                Row.of(F_SETFL, SOCKET_PAIR).when(GOES_ON, "EINTR").when(FAILS, "EACCES EBADF EINVAL EPERM ENOSYS"),
                Row.of(SystemCall.of("statx"), TYPE).when(GOES_ON, "ENOSYS EPERM")
                        .when(FAILS, "EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR"),
                Row.of(F_GETFL, SET_BLOCKING).when(GOES_ON, "EINTR").when(FAILS, "EACCES EBADF EINVAL EPERM ENOSYS"),
                Row.of(F_SETFL, SET_BLOCKING).when(GOES_ON, "EINTR").when(FAILS, "EACCES EBADF EINVAL EPERM ENOSYS"),
                Row.of(F_ADD_SEALS, SEAL).when(GOES_ON, "EINTR").when(FAILS, ON_SEALS),
                Row.of(F_GET_SEALS, SEALS).when(GOES_ON, "EINTR").when(FAILS, "EBADF EPERM ENOSYS"),
                Row.of(F_GETFL, TO_FILE_CHANNEL).when(GOES_ON, "EINTR").when(FAILS, "EBADF EINVAL EPERM ENOSYS"),
                Row.of(OPENAT, TO_FILE_CHANNEL).when(FAILS, ON_OPEN),
                Row.of(DUP3, TO_FILE_CHANNEL).when(FAILS, ON_DUP),
                Row.of(SystemCall.of("close"), CLOSE).when(GOES_ON, "EINTR").when(FAILS, "EBADF EDQUOT EIO ENOSPC"));
    }
}
