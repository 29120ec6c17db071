package io.github.nettyunix.descriptor;

import io.github.nettyunix.DescriptorWatch;
import io.github.nettyunix.DescriptorWatch.Event;
import io.github.nettyunix.EventCounter;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.OnlyOnEpoll;
import io.github.nettyunix.testing.PeerConnection;
import io.github.nettyunix.testing.Setup;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Event loops report the readiness of descriptors of any kind. */
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class DescriptorWatchTest {
    private final EventLoop loop = Loops.group().next();
    private final List<DescriptorWatch> watches = new ArrayList<>();
    private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();
    private UnixFileDescriptor ours;
    private UnixFileDescriptor peer;

    @TempDir
    private Path folder;

    @BeforeEach
    void connect() throws IOException {
        List<UnixFileDescriptor> pair = UnixFileDescriptor.socketPair(SocketType.STREAM);
        ours = pair.get(0);
        peer = pair.get(1);
        ours.setBlocking(false);
        peer.setBlocking(false);
    }

    @AfterEach
    void close() throws Exception {
        for (DescriptorWatch watch : watches) {
            watch.close();
            watch.closeFuture().await();
        }
        ours.release();
        peer.release();
    }

    private DescriptorWatch watch(UnixFileDescriptor fd, DescriptorWatch.Handler handler, Event... wanted)
            throws InterruptedException {
        DescriptorWatch watch = UnixTransport.watch(loop, fd, handler, wanted).sync().getNow();
        watches.add(watch);
        return watch;
    }

    private static int write(UnixFileDescriptor fd, int length) throws IOException {
        return fd.write(ByteBuffer.allocateDirect(length), 0, length);
    }

    private static int read(UnixFileDescriptor fd, int length) throws IOException {
        return fd.read(ByteBuffer.allocateDirect(length), 0, length);
    }

    /** Fills a socket's queue. */
    private static void fill(UnixFileDescriptor fd) throws IOException {
        while (write(fd, 1 << 16) > 0) {
            Thread.onSpinWait();
        }
    }

    private Object event() throws InterruptedException {
        return events.poll(10, TimeUnit.SECONDS);
    }

    /** Lets the loop ask its selector a few times. */
    private void settle() throws InterruptedException {
        for (int i = 0; i < 10; i++) {
            loop.submit(() -> { }).sync();
        }
    }

    private static String error(Future<DescriptorWatch> failed) throws InterruptedException {
        return assertInstanceOf(UnixSocketError.class, assertInstanceOf(IOException.class, failed.await().cause()))
                .errnoName();
    }

    @Setup.Few
    void theEventFdOfAPeerWakesTheLoop(Setup setup) throws Exception {
        try (PeerConnection connection = PeerConnection.in(setup).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start("""
                import select
                ours, theirs = os.eventfd(0), os.eventfd(0)
                send(sock, b"x", [ours, theirs], peer)
                poll = select.poll()
                poll.register(ours, select.POLLIN)
                for i in range(1, 4):
                    os.eventfd_write(theirs, i)
                    poll.poll()
                    print(os.eventfd_read(ours))
                wait_for_end()
                """)) {
            UnixMessage message = connection.inbox().take(UnixMessage.class);
            UnixFileDescriptor answers = message.fileDescriptors().get(0);
            UnixFileDescriptor questions = message.fileDescriptors().get(1);
            answers.setBlocking(false);
            DescriptorWatch watch = watch(questions, (it, event) ->
                    EventCounter.add(answers, EventCounter.take(questions) * 10), Event.READ);
            for (int i = 1; i < 4; i++) {
                connection.python().expect(Integer.toString(i * 10));
            }
            LoopCpu.assertIdle(loop);
            watch.close();
            watch.closeFuture().sync();
            message.release();
            connection.end();
        }
        Evidence.of("CPython", "os.eventfd_write wakes an event loop, and EventCounter os.eventfd_read, " + setup);
    }

    @Test
    void theEndOfAPipeIsReportedUntilTheWatchEnds() throws Exception {
        Path fifo = folder.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        UnixFileDescriptor both = UnixFileDescriptor.open(fifo, StandardOpenOption.READ, StandardOpenOption.WRITE);
        UnixFileDescriptor reading = UnixFileDescriptor.open(fifo);
        UnixFileDescriptor writing = UnixFileDescriptor.open(fifo, StandardOpenOption.WRITE);
        both.release();
        DescriptorWatch watch = watch(reading, (it, event) -> events.add(read(reading, 1)), Event.READ);
        write(writing, 3);
        for (int i = 0; i < 3; i++) {
            assertEquals(1, event());
        }
        settle();
        assertNull(events.poll());
        writing.release();
        assertEquals(-1, event());
        assertEquals(-1, event());
        watch.close();
        watch.closeFuture().sync();
        events.clear();
        settle();
        assertNull(events.poll());
        reading.release();
    }

    @Test
    void roomIsReportedAsLongAsThereIsSome() throws Exception {
        fill(ours);
        watch(ours, (it, event) -> events.add(event), Event.WRITE);
        settle();
        assertNull(events.poll());
        while (read(peer, 1 << 16) > 0) {
            Thread.onSpinWait();
        }
        assertEquals(Event.WRITE, event());
        settle();
        events.clear();
        assertEquals(Event.WRITE, event(), "there is still room");
        fill(ours);
        // What was reported while there was room.
        settle();
        events.clear();
        settle();
        assertNull(events.poll());
    }

    @Test
    void aWriterLearnsThatThereIsNobodyLeftToRead() throws Exception {
        Path fifo = folder.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        UnixFileDescriptor both = UnixFileDescriptor.open(fifo, StandardOpenOption.READ, StandardOpenOption.WRITE);
        UnixFileDescriptor writing = UnixFileDescriptor.open(fifo, StandardOpenOption.WRITE);
        writing.setBlocking(false);
        fill(writing);
        watch(writing, (watch, event) -> {
            events.add(event);
            write(writing, 1);
        }, Event.WRITE);
        settle();
        assertNull(events.poll());
        both.release();
        assertEquals(Event.WRITE, event());
        IOException failure = assertInstanceOf(IOException.class, watches.get(0).closeFuture().await().cause());
        assertTrue(failure.getMessage().contains("Broken pipe"), failure.getMessage());
        writing.release();
    }

    @Test
    void bothDirectionsAreReported() throws Exception {
        write(peer, 1);
        watch(ours, (watch, event) -> {
            events.add(event);
            if (events.contains(Event.READ) && events.contains(Event.WRITE)) {
                watch.close();
            }
        }, Event.READ, Event.WRITE);
        watches.get(0).closeFuture().sync();
        assertTrue(events.contains(Event.READ) && events.contains(Event.WRITE), events::toString);
    }

    @Test
    void eventsCanBeChangedAtAnyTime() throws Exception {
        DescriptorWatch watch = watch(ours, (it, event) -> {
            events.add(event);
            it.setEvents();
        });
        write(peer, 1);
        settle();
        assertNull(events.poll());
        for (Event next : List.of(Event.READ, Event.WRITE, Event.READ, Event.READ, Event.WRITE, Event.WRITE)) {
            watch.setEvents(next);
            assertEquals(next, event());
            settle();
            assertNull(events.poll(), "it pauses");
        }
        peer.close();
        settle();
        assertNull(events.poll());
        LoopCpu.assertIdle(loop);
        loop.submit(() -> watch.setEvents(Event.READ)).sync();
        assertEquals(Event.READ, event());
    }

    @Test
    void aHandlerThatClosesItsWatchIsNotCalledAgain() throws Exception {
        write(peer, 1);
        watch(ours, (watch, event) -> {
            events.add(event);
            watch.close();
            assertTrue(watch.closeFuture().isSuccess());
            watch.setEvents(Event.WRITE);
        }, Event.READ, Event.WRITE);
        assertTrue(watches.get(0).closeFuture().await().isSuccess());
        settle();
        assertEquals(1, events.size());
    }

    @Test
    void theDescriptorCanBeClosedMeanwhile() throws Exception {
        int number = ours.intValue();
        DescriptorWatch watch = watch(ours, (it, event) -> {
            events.add(event);
            it.setEvents();
        }, Event.READ);
        ours.close();
        // The number now belongs to another file, which is ready as well.
        UnixFileDescriptor other = UnixFileDescriptor.eventFd(1, false);
        assertEquals(number, other.intValue());
        settle();
        assertNull(events.poll());
        assertEquals(1, write(peer, 1));
        assertEquals(Event.READ, event());
        other.release();
        assertFalse(watch.closeFuture().isDone());
        watch.close();
        watch.closeFuture().sync();
        assertThrows(IOException.class, () -> write(peer, 1), "the watch had the last descriptor of the socket");
    }

    @Test
    void aHandlerThatFailsEndsTheWatch() throws Exception {
        RuntimeException failure = new RuntimeException("expected");
        write(peer, 1);
        watch(ours, (watch, event) -> {
            throw failure;
        }, Event.READ);
        assertSame(failure, watches.get(0).closeFuture().await().cause());
    }

    @Test
    void whatIsAlwaysReadyIsRefused() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        for (Path path : List.of(file, folder)) {
            try (UnixFileDescriptor fd = UnixFileDescriptor.open(path)) {
                Future<DescriptorWatch> watch = UnixTransport.watch(loop, fd, (it, event) -> { }, Event.READ);
                assertEquals("EPERM", error(watch));
                assertTrue(watch.cause().getMessage().startsWith("watch descriptor " + fd.intValue() + ": EPERM"),
                        watch.cause().getMessage());
            }
        }
        try (UnixFileDescriptor memory = UnixFileDescriptor.memfd("memory", 1)) {
            assertEquals("EPERM", error(UnixTransport.watch(loop, memory, (it, event) -> { }, Event.READ)));
        }
    }

    @Test
    @OnlyOnEpoll
    void whatTheSelectorRefusesIsReported() throws Exception {
        try (UnixFileDescriptor zero = UnixFileDescriptor.open(Path.of("/dev/zero"))) {
            Future<DescriptorWatch> watch = UnixTransport.watch(loop, zero, (it, event) -> { }, Event.READ);
            assertEquals("EPERM", error(watch));
            assertEquals("epoll_ctl of descriptor " + zero.intValue() + ": EPERM (Operation not permitted): files of "
                    + "this type are always ready", watch.cause().getMessage());
        }
    }

    @Test
    void aClosedDescriptorIsRefused() throws Exception {
        ours.close();
        assertEquals("EBADF", error(UnixTransport.watch(loop, ours, (it, event) -> { }, Event.READ)));
    }

    @Test
    void foreignLoopsAreRefused() throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        Throwable cause = UnixTransport.watch(group.next(), ours, (it, event) -> { }, Event.READ).await().cause();
        assertTrue(assertInstanceOf(IllegalStateException.class, cause).getMessage()
                .startsWith("watch descriptor " + ours.intValue() + ": the event loop is driven by NioIoHandler"));
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    @Test
    void aWatchEndsWithItsLoop() throws Exception {
        for (int i = 0; i < 20; i++) {
            endWithLoop();
        }
    }

    private void endWithLoop() throws Exception {
        EventLoopGroup group = Loops.newGroup(1);
        DescriptorWatch watch = UnixTransport.watch(group.next(), ours, (it, event) -> { }, Event.READ).sync().getNow();
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        watch.closeFuture().sync();
        watch.close();
        watch.setEvents(Event.WRITE);
        assertInstanceOf(RejectedExecutionException.class,
                UnixTransport.watch(group.next(), ours, (it, event) -> { }, Event.READ).await().cause());
    }

    @Test
    void loopsThatSpinOrLookReportReadiness() throws Exception {
        for (IoHandlerFactory factory : List.of(Loops.newSpinningIoHandlerFactory(),
                Loops.newSpinningIoHandlerFactory(Duration.ofMillis(1)))) {
            EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, factory);
            DescriptorWatch watch = UnixTransport.watch(group.next(), ours,
                    (it, event) -> events.add(read(ours, 10)), Event.READ).sync().getNow();
            assertSame(watch.eventLoop(), group.next());
            for (int i = 1; i <= 3; i++) {
                write(peer, i);
                assertEquals(i, event());
            }
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
            watch.closeFuture().sync();
        }
    }

    @Test
    void watchesThatComeAndGoLeaveNothing() throws Exception {
        try (UnixFileDescriptor eventFd = UnixFileDescriptor.eventFd(1, false)) {
            for (int i = 0; i < 200; i++) {
                DescriptorWatch watch = watch(eventFd, (it, event) -> events.add(event), Event.READ);
                assertEquals(Event.READ, event());
                watch.close();
                watches.clear();
                watch.closeFuture().sync();
                events.clear();
            }
        }
    }
}
