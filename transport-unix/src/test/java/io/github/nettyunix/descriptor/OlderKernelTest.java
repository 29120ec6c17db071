package io.github.nettyunix.descriptor;

import io.github.nettyunix.EventCounter;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.FailingCalls;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** Operations on descriptors work on kernels that lack the newer system calls, as far as they can. */
@Tag("once")
@Tag("user")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class OlderKernelTest {
    private EventLoopGroup group;
    private EventLoop loop;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        group = Loops.newGroup(1);
        loop = group.next();
    }

    @AfterEach
    void shutDown() throws InterruptedException {
        group.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).sync();
    }

    private void assertType(UnixFileDescriptor.Type type, UnixFileDescriptor fd) throws Exception {
        assertEquals(type, loop.submit(fd::type).get());
        fd.release();
    }

    @Test
    void withoutStatxTypesAndSizesAreReported() throws Exception {
        FailingCalls.on(loop, "statx", Errno.ENOSYS);
        UnixFileDescriptor file = UnixFileDescriptor.open(Files.writeString(folder.resolve("file"), "content"));
        assertEquals(7, loop.submit(file::size).get());
        assertType(UnixFileDescriptor.Type.REGULAR_FILE, file);
        assertType(UnixFileDescriptor.Type.DIRECTORY, UnixFileDescriptor.open(folder));
        assertType(UnixFileDescriptor.Type.CHARACTER_DEVICE, UnixFileDescriptor.open(Path.of("/dev/null")));
        assertType(UnixFileDescriptor.Type.MEMFD, UnixFileDescriptor.memfd("memory", 5));
    }

    @Test
    void withoutStatxFileOfATmpfsIsNoMemoryFile() throws Exception {
        FailingCalls.on(loop, "statx", Errno.ENOSYS);
        Path path = Files.createTempFile(Path.of("/dev/shm"), "unix", null);
        UnixFileDescriptor file = UnixFileDescriptor.open(path);
        Files.delete(path);
        assertType(UnixFileDescriptor.Type.REGULAR_FILE, file);
    }

    @Test
    void withoutMemfdCreateMemoryFilesFail() throws Exception {
        FailingCalls.on(loop, "memfd_create", Errno.ENOSYS);
        Throwable failure = loop.submit(() ->
                assertThrows(IOException.class, () -> UnixFileDescriptor.memfd("memory", 1))).get();
        assertEquals("ENOSYS", assertInstanceOf(UnixSocketError.class, failure).errnoName());
    }

    /** The seals of the file are those of a file of a tmpfs. */
    @Test
    void memoryFileIsRecognizedAlsoIfNoneCanBeCreated() throws Exception {
        UnixFileDescriptor file = UnixFileDescriptor.memfd("memory", 5);
        file.seal(UnixFileDescriptor.Seal.SEAL);
        FailingCalls.on(loop, "memfd_create", Errno.EMFILE);
        assertType(UnixFileDescriptor.Type.MEMFD, file);
    }

    @Test
    void withoutPreadv2EventFdsAreReadInNonBlockingModeOnly() throws Exception {
        FailingCalls.on(loop, "preadv2", Errno.ENOSYS);
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(3, false)) {
            assertEquals(3, loop.submit(() -> EventCounter.take(eventFd)).get());
            assertEquals(0, loop.submit(() -> EventCounter.take(eventFd)).get());
            eventFd.setBlocking(true);
            Throwable refused = loop.submit(() ->
                    assertThrows(IOException.class, () -> EventCounter.take(eventFd))).get();
            assertEquals("EINVAL", assertInstanceOf(UnixSocketError.class, refused).errnoName());
        }
    }

    @Test
    void withoutCloseRangeDescriptorsAreClosedOneByOne() throws Exception {
        FailingCalls.on(loop, "close_range", Errno.ENOSYS);
        UnixFileDescriptor file = Descriptors.some(1)[0];
        int[] numbers = new int[3];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = FileDescriptors.duplicate(file.intValue(), 900);
            assertEquals(900 + i, numbers[i]);
        }
        file.release();
        assertEquals(0, loop.submit(() -> FileDescriptors.closeAll(numbers, numbers.length)).get());
        for (int number : numbers) {
            assertFalse(Descriptors.open().containsKey(number));
        }
    }
}
