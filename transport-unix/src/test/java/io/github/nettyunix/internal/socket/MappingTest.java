package io.github.nettyunix.internal.socket;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.FailingCalls;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.IllegalReferenceCountException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import static io.github.nettyunix.internal.socket.MemoryFile.SEAL_EXEC;
import static io.github.nettyunix.internal.socket.MemoryFile.SEAL_GROW;
import static io.github.nettyunix.internal.socket.MemoryFile.SEAL_SEAL;
import static io.github.nettyunix.internal.socket.MemoryFile.SEAL_SHRINK;
import static io.github.nettyunix.internal.socket.MemoryFile.SEAL_WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Files in memory, what their seals promise, and how they are mapped. */
@Tag("library")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class MappingTest {
    private static final String NAME = "mapping-test";
    private static final int FIXED = SEAL_SEAL | SEAL_SHRINK | SEAL_GROW;
    private static final int PAGE_SIZE = pageSize();
    private static final int HEADER = 3 * PAGE_SIZE;
    private static final int DATA = 2 * PAGE_SIZE;

    private final List<Integer> opened = new ArrayList<>();

    private static int pageSize() {
        UnixTransport.ensureAvailability();
        return MemoryFile.pageSize();
    }

    @AfterEach
    void close() throws IOException {
        opened.forEach(FileDescriptors::close);
        assertEquals(0, mappings(), "mappings are left");
    }

    private int opened(int fd) {
        assertTrue(fd >= 0, () -> Errno.name(-fd));
        opened.add(fd);
        return fd;
    }

    private int file(long size, int seals) {
        return opened(MemoryFile.create(NAME, size, seals));
    }

    private static Mapping ring(int fd) {
        long address = Mapping.mapRing(fd, HEADER, DATA);
        assertFalse(Mapping.isErrno(address), () -> Errno.name((int) -address));
        return new Mapping(address, HEADER + 2 * DATA, true);
    }

    private static Mapping map(int fd, long offset, int length, boolean writable) {
        long address = Mapping.map(fd, offset, length, writable);
        assertFalse(Mapping.isErrno(address), () -> Errno.name((int) -address));
        return new Mapping(address, length, writable);
    }

    /** How many parts of this class's files are mapped. */
    private static long mappings() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains("memfd:" + NAME)).count();
        }
    }

    @Test
    void theDataOfARingFollowsItselfInMemory() throws IOException {
        assertTrue(Mapping.isSupported());
        int fd = file(HEADER + DATA, FIXED);
        Mapping one = ring(fd);
        Mapping other = ring(fd);
        ByteBuffer written = one.buffer();
        assertEquals(HEADER + 2 * DATA, written.capacity());
        assertEquals(ByteOrder.nativeOrder(), written.order());
        // Eight bytes that begin at the end of the data and end at its start.
        written.putLong(HEADER + DATA - 4, 0x0102030405060708L);
        written.putInt(HEADER - 4, 9);
        ByteBuffer read = other.buffer();
        assertEquals(0x0102030405060708L, read.getLong(HEADER + DATA - 4));
        assertEquals(written.getInt(HEADER + DATA), read.getInt(HEADER));
        assertEquals(read.getInt(HEADER + DATA - 4), read.getInt(HEADER + 2 * DATA - 4));
        assertEquals(9, read.getInt(HEADER - 4));
        one.release();
        assertEquals(9, read.getInt(HEADER - 4));
        other.release();
    }

    @Test
    void aMappingOutlivesItsDescriptorAndEndsWithItsLastReference() throws IOException {
        int fd = MemoryFile.create(NAME, HEADER + DATA, FIXED);
        Mapping ring = ring(fd);
        FileDescriptors.close(fd);
        assertEquals(2, mappings());
        ring.retain();
        assertFalse(ring.release());
        assertEquals(2, mappings());
        ring.buffer().put(0, (byte) 1);
        assertTrue(ring.release());
        assertEquals(0, mappings());
        assertThrows(IllegalReferenceCountException.class, ring::buffer);
        assertThrows(IllegalReferenceCountException.class, ring::address);
        assertThrows(IllegalReferenceCountException.class, ring::release);
        assertThrows(IllegalReferenceCountException.class, ring::retain);
    }

    @Test
    void aPartOfAFileIsMappedForReadingOnly() {
        int fd = file(4L * PAGE_SIZE, FIXED);
        Mapping all = map(fd, 0, 4 * PAGE_SIZE, true);
        Mapping part = map(fd, 2L * PAGE_SIZE, 100, false);
        all.buffer().putInt(2 * PAGE_SIZE + 96, 7);
        assertEquals(100, part.buffer().capacity());
        assertEquals(7, part.buffer().getInt(96));
        assertTrue(part.buffer().isReadOnly());
        all.release();
        part.release();
    }

    @Test
    void whatCannotBeMappedLeavesNothing() throws Exception {
        int sealed = file(HEADER + DATA, FIXED | SEAL_WRITE);
        assertEquals(-Errno.EPERM, Mapping.mapRing(sealed, HEADER, DATA));
        assertEquals(-Errno.EPERM, Mapping.map(sealed, 0, HEADER, true));
        map(sealed, 0, HEADER, false).release();
        int unreadable = opened(FileDescriptors.open(CString.of("/proc/self/fd/" + sealed), FileDescriptors.WRITE, 0));
        assertEquals(-Errno.EACCES, Mapping.map(unreadable, 0, HEADER, false));
        assertEquals(-Errno.EBADF, Mapping.map(-1, 0, HEADER, false));
        assertEquals(-Errno.EBADF, Mapping.mapRing(-1, HEADER, DATA));
        assertEquals(0, mappings());
    }

    @Test
    void aRingOfWhichHalfCannotBeMappedLeavesNothing() throws Exception {
        EventLoopGroup group = Loops.newGroup(1);
        try {
            EventLoop loop = group.next();
            int offset = 5;
            FailingCalls.on(loop, "mmap", offset, HEADER, Errno.ENOSPC);
            int fd = file(HEADER + DATA, FIXED);
            assertEquals((long) -Errno.ENOSPC, loop.submit(() -> Mapping.mapRing(fd, HEADER, DATA)).get());
            assertEquals(0, mappings());
        } finally {
            group.shutdownGracefully(0, 5000, TimeUnit.MILLISECONDS).sync();
        }
    }

    @Test
    void aNewFileIsSealedAndClosesOnExec() throws IOException {
        int fd = file(PAGE_SIZE + 1, FIXED);
        assertEquals(FIXED, MemoryFile.seals(fd) & ~SEAL_EXEC);
        assertEquals(PAGE_SIZE + 1, MemoryFile.size(fd));
        assertEquals(-Errno.EPERM, FileDescriptors.setSize(fd, 1));
        String flags = Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd)).get(1);
        int closeOnExec = 02000000;
        assertEquals(closeOnExec, Integer.parseInt(flags.substring(6).trim(), 8) & closeOnExec);
        int unsealed = file(0, 0);
        assertEquals(0, MemoryFile.seals(unsealed) & ~SEAL_EXEC);
        assertEquals(0, MemoryFile.size(unsealed));
        assertEquals(0, MemoryFile.addSeals(unsealed, SEAL_GROW));
        assertEquals(SEAL_GROW, MemoryFile.seals(unsealed) & ~SEAL_EXEC);
    }

    @Test
    void kernelsWithoutFilesThatNobodyCanExecuteCreateOthers() throws Exception {
        EventLoopGroup group = Loops.newGroup(1);
        try {
            EventLoop loop = group.next();
            int flags = 1;
            int closeOnExecSealableUnexecutable = 1 | 2 | 8;
            FailingCalls.on(loop, "memfd_create", flags, closeOnExecSealableUnexecutable, Errno.EINVAL);
            int fd = opened(loop.submit(() -> MemoryFile.create(NAME, PAGE_SIZE, FIXED)).get());
            assertEquals(FIXED, MemoryFile.seals(fd));
        } finally {
            group.shutdownGracefully(0, 5000, TimeUnit.MILLISECONDS).sync();
        }
    }

    @Test
    void aFileThatCannotBeCreatedLeavesNoDescriptor() {
        assertEquals(-Errno.EINVAL, MemoryFile.create(NAME, -1, FIXED));
        assertEquals(-Errno.EINVAL, MemoryFile.create(NAME, 1, 1 << 10));
        assertEquals(-Errno.EINVAL, MemoryFile.create("x".repeat(1000), 1, FIXED));
    }

    @Test
    void onlyWhatIsSealedAgainstShrinkingIsSafe() throws IOException {
        assertEquals(PAGE_SIZE, MemoryFile.sealedSize(file(PAGE_SIZE, FIXED), FIXED));
        assertEquals(PAGE_SIZE, MemoryFile.sealedSize(file(PAGE_SIZE, FIXED | SEAL_WRITE), FIXED));
        assertEquals(PAGE_SIZE, MemoryFile.sealedSize(file(PAGE_SIZE, SEAL_SHRINK), 0));
        assertEquals(-Errno.EPERM, MemoryFile.sealedSize(file(PAGE_SIZE, SEAL_SHRINK | SEAL_GROW), FIXED));
        assertEquals(-Errno.EPERM, MemoryFile.sealedSize(file(PAGE_SIZE, SEAL_GROW), SEAL_GROW));
        assertEquals(-Errno.EPERM, MemoryFile.sealedSize(file(PAGE_SIZE, 0), 0));
        assertEquals(-Errno.EBADF, MemoryFile.sealedSize(-1, 0));
    }

    /** The pool of huge pages is empty: an access to a mapping of this file would end the process. */
    @Test
    void hugePagesAreNeverSafe() throws Exception {
        String script = """
                fd = os.memfd_create("huge", os.MFD_HUGETLB | os.MFD_ALLOW_SEALING)
                os.ftruncate(fd, 4 << 20)
                fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
                print(fd)
                input()
                """;
        try (Python peer = Python.run(script)) {
            String path = "/proc/" + peer.pid() + "/fd/" + peer.line();
            int fd = opened(FileDescriptors.open(CString.of(path), FileDescriptors.READ_WRITE, 0));
            assertEquals(FIXED, MemoryFile.seals(fd));
            assertEquals(4 << 20, MemoryFile.size(fd));
            assertEquals(-Errno.EINVAL, MemoryFile.sealedSize(fd, FIXED));
        }
    }

    @Test
    void filesOfOtherKindsAreNeverSafe(@TempDir Path folder) throws IOException {
        Path shared = Files.createTempFile(Path.of("/dev/shm"), NAME, null);
        try (UnixFileDescriptor tmpfs = UnixFileDescriptor.open(shared, StandardOpenOption.WRITE)) {
            assertEquals(-Errno.EPERM, MemoryFile.sealedSize(tmpfs.intValue(), 0));
        } finally {
            Files.delete(shared);
        }
        for (Path path : List.of(Files.createFile(folder.resolve("file")), folder, Path.of("/dev/zero"))) {
            try (UnixFileDescriptor other = UnixFileDescriptor.open(path)) {
                assertEquals(-Errno.EINVAL, MemoryFile.sealedSize(other.intValue(), 0), path::toString);
                assertEquals(Files.isRegularFile(path) ? 0 : -Errno.EINVAL, MemoryFile.size(other.intValue()));
            }
        }
        assertEquals(-Errno.EBADF, MemoryFile.size(-1));
    }
}
