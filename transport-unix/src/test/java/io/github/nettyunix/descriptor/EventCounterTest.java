package io.github.nettyunix.descriptor;

import io.github.nettyunix.EventCounter;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.LeakCheckExtension;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The counter of an eventfd. */
@Tag("once")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class EventCounterTest {
    private static String error(Executable call) {
        return assertInstanceOf(UnixSocketError.class, assertThrows(IOException.class, call)).errnoName();
    }

    @Test
    void whatIsAddedIsTakenAtOnce() throws IOException {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(5, false)) {
            assertTrue(EventCounter.add(eventFd, 2));
            assertTrue(EventCounter.add(eventFd, 1));
            assertEquals(8, EventCounter.take(eventFd));
            assertEquals(0, EventCounter.take(eventFd));
            assertThrows(IllegalArgumentException.class, () -> EventCounter.add(eventFd, 0));
            assertThrows(IllegalArgumentException.class, () -> EventCounter.add(eventFd, -1));
        }
    }

    @Test
    void aSemaphoreIsTakenOneByOne() throws IOException {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(2, true)) {
            assertEquals(1, EventCounter.take(eventFd));
            assertEquals(1, EventCounter.take(eventFd));
            assertEquals(0, EventCounter.take(eventFd));
        }
    }

    @Test
    void whatDoesNotFitIsNotAdded() throws IOException {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(0, false)) {
            assertTrue(EventCounter.add(eventFd, Long.MAX_VALUE));
            assertTrue(EventCounter.add(eventFd, Long.MAX_VALUE));
            assertFalse(EventCounter.add(eventFd, 1));
            assertEquals(-2, EventCounter.take(eventFd), "2^64 - 2");
        }
    }

    @Test
    void nothingBlocksInBlockingMode() throws Exception {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(0, false)) {
            eventFd.setBlocking(true);
            FutureTask<Long> take = new FutureTask<>(() -> EventCounter.take(eventFd));
            Thread thread = new Thread(take);
            thread.setDaemon(true);
            thread.start();
            assertEquals(0, take.get(10, TimeUnit.SECONDS));
            thread.join();
            assertEquals("EINVAL", error(() -> EventCounter.add(eventFd, 1)));
        }
    }

    @Test
    void otherDescriptorsAreRefused() throws IOException {
        List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(SocketType.STREAM);
        UnixFileDescriptor socket = pair.get(0);
        pair.get(1).write(ByteBuffer.allocateDirect(3), 0, 3);
        assertEquals("write of descriptor " + socket.intValue() + ": EINVAL (Invalid argument): it is no eventfd in "
                + "non-blocking mode",
                assertThrows(IOException.class, () -> EventCounter.add(socket, 1)).getMessage());
        assertEquals("EINVAL", error(() -> EventCounter.take(socket)));
        pair.forEach(UnixFileDescriptor::release);
        assertEquals("EBADF", error(() -> EventCounter.add(socket, 1)));
        assertEquals("EBADF", error(() -> EventCounter.take(socket)));
    }
}
