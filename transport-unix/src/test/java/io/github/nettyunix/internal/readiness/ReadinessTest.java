package io.github.nettyunix.internal.readiness;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.IoEventLoop;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import static io.github.nettyunix.internal.readiness.Readiness.READ;
import static io.github.nettyunix.internal.readiness.Readiness.WRITE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What every selector must do. */
class ReadinessTest {
    private static final int NOTHING = 0;

    private final IoEventLoop loop = (IoEventLoop) Loops.group().next();
    private final Descriptors before = Descriptors.now();
    private final int[] fds = new int[2];
    private UnixSocket ours;
    private UnixSocket peer;
    private Watcher watcher;
    private boolean isFree;

    private interface Task {
        void run() throws Exception;
    }

    /** Counts events, and handles them only on request. */
    private final class Watcher implements CheapListener {
        final Semaphore readable = new Semaphore(0);
        final Semaphore writable = new Semaphore(0);
        final Semaphore closed = new Semaphore(0);
        final AtomicInteger told = new AtomicInteger();
        final IoEventLoop loop;
        final Readiness readiness;
        Runnable onReadable = () -> { };

        Watcher(IoEventLoop loop, UnixSocket socket) throws Exception {
            this.loop = loop;
            readiness = NativeTransport.selectorOf(loop).newReadiness(socket, this);
            readiness.register(loop).sync();
        }

        void start(int interest) throws Exception {
            onLoop(() -> readiness.start(interest));
        }

        void interest(int interest) throws Exception {
            onLoop(() -> readiness.interest(interest));
        }

        void onLoop(Task task) throws Exception {
            loop.submit(() -> {
                task.run();
                return null;
            }).sync();
        }

        @Override
        public boolean readReady() {
            told.incrementAndGet();
            readable.release();
            onReadable.run();
            return true;
        }

        @Override
        public void writeReady() {
            told.incrementAndGet();
            writable.release();
        }

        @Override
        public void peerClosed() {
            told.incrementAndGet();
            closed.release();
        }

        @Override
        public void refused(Readiness.RefusedException cause) {
            throw new AssertionError(cause);
        }

        @Override
        public void closeByLoop() {
        }
    }

    @BeforeEach
    void connect() throws Exception {
        assertEquals(0, UnixSocket.newSocketPair(0, fds));
        ours = new UnixSocket(fds[0]);
        peer = new UnixSocket(fds[1]);
        watcher = new Watcher(loop, ours);
    }

    @AfterEach
    void close() throws Exception {
        watcher.onLoop(() -> {
            watcher.readiness.cancel();
            closeQuietly(ours);
            closeQuietly(peer);
        });
        before.assertUnchanged();
    }

    @Test
    void readinessIsReportedWhileThereIsSomethingToRead() throws Exception {
        watcher.start(READ);
        send(peer);
        await(watcher.readable, 10);
        watcher.onReadable = () -> receive(ours);
        assertQuiet();
        send(peer);
        await(watcher.readable, 1);
    }

    @Test
    void dataFromBeforeTheStartIsReported() throws Exception {
        send(peer);
        watcher.start(READ | WRITE);
        await(watcher.readable, 1);
        await(watcher.writable, 1);
    }

    @Test
    void nothingIsReportedBeforeTheStart() throws Exception {
        send(peer);
        watcher.interest(READ | WRITE);
        assertQuiet();
        assertEquals(0, watcher.told.get());
    }

    @Test
    void roomIsReportedToAWriterThatWaitsForIt() throws Exception {
        while (send(ours) > 0) {
            // until it is full
        }
        watcher.start(READ);
        watcher.interest(READ | WRITE);
        assertQuiet();
        assertEquals(0, watcher.writable.availablePermits());
        while (receive(peer) > 0) {
            // until it is empty
        }
        await(watcher.writable, 1);
        watcher.interest(READ);
        assertQuiet();
        watcher.interest(READ | WRITE);
        await(watcher.writable, 10);
    }

    @Test
    void dataIsNotReportedRepeatedlyToAChannelThatDoesNotRead() throws Exception {
        watcher.start(NOTHING);
        for (int i = 0; i < 3; i++) {
            send(peer);
            assertQuiet();
        }
        assertEquals(0, watcher.closed.availablePermits());
        watcher.readable.drainPermits();
        watcher.interest(READ);
        await(watcher.readable, 10);
        watcher.interest(NOTHING);
        assertQuiet();
    }

    @Test
    void theEndIsReportedOnceToAChannelThatDoesNotRead() throws Exception {
        watcher.start(NOTHING);
        send(peer);
        assertQuiet();
        peer.close();
        await(watcher.closed, 1);
        assertQuiet();
        assertEquals(0, watcher.closed.availablePermits());
        // ... and once more after each change.
        watcher.interest(READ);
        await(watcher.closed, 1);
        watcher.interest(NOTHING);
        assertQuiet();
        watcher.closed.drainPermits();
        watcher.interest(WRITE);
        watcher.interest(NOTHING);
        assertQuiet();
    }

    @Test
    void theEndIsReadyToBeRead() throws Exception {
        watcher.start(READ);
        peer.close();
        await(watcher.readable, 10);
    }

    @Test
    void nothingIsReportedAfterTheCancellation() throws Exception {
        watcher.start(READ | WRITE);
        watcher.onLoop(watcher.readiness::cancel);
        int told = watcher.told.get();
        send(peer);
        assertQuiet();
        assertEquals(told, watcher.told.get());
    }

    @Test
    void aRegistrationElsewhereFollowsACancellation() throws Exception {
        watcher.start(READ | WRITE);
        watcher.onLoop(watcher.readiness::cancel);
        watcher = new Watcher((IoEventLoop) Loops.group().next(), ours);
        watcher.start(READ);
        send(peer);
        await(watcher.readable, 10);
        watcher.onReadable = () -> receive(ours);
        assertQuiet();
    }

    @Test
    void aSocketThatLivesOnElsewhereIsNotWatched() throws Exception {
        UnixSocket other = new UnixSocket(FileDescriptors.duplicate(fds[0], 3));
        watcher.start(READ);
        watcher.onLoop(() -> {
            watcher.readiness.cancel();
            closeQuietly(ours);
        });
        send(peer);
        assertQuiet();
        assertEquals(0, watcher.told.get());
        other.close();
    }

    @Test
    void theNextOwnerOfTheNumberIsNotWatched() throws Exception {
        UnixSocket other = new UnixSocket(FileDescriptors.duplicate(fds[1], 3));
        watcher.start(READ);
        watcher.onLoop(() -> {
            // This change has not reached the kernel when the number gets its next owner.
            watcher.readiness.interest(READ | WRITE);
            watcher.readiness.cancel();
            closeQuietly(ours);
            isFree = watcher.readiness.release() == null;
            if (isFree) {
                assertEquals(fds[0], FileDescriptors.replace(other.intValue(), fds[0]));
            }
        });
        assertQuiet();
        assertEquals(0, watcher.told.get());
        other.close();
        if (isFree) {
            new FileDescriptor(fds[0]).close();
        }
    }

    /** Checks that nothing more happens on the loop, and that it does not spin. */
    private void assertQuiet() throws Exception {
        // Events so far are reported before the second task runs, because the loop polls in between.
        for (int i = 0; i < 2; i++) {
            watcher.loop.schedule(() -> { }, 10, TimeUnit.MILLISECONDS).sync();
        }
        int told = watcher.told.get();
        long used = cpuTime(watcher.loop);
        TimeUnit.MILLISECONDS.sleep(100);
        assertEquals(told, watcher.told.get(), "it goes on and on");
        used = cpuTime(watcher.loop) - used;
        // The limit is low because a spinning loop does not get much of a busy machine.
        assertTrue(used < TimeUnit.MILLISECONDS.toNanos(3),
                "the loop spins: " + used + " ns of processor time in 100 ms");
    }

    private static long cpuTime(IoEventLoop loop) {
        long thread = ((SingleThreadEventExecutor) loop).threadProperties().id();
        return ManagementFactory.getThreadMXBean().getThreadCpuTime(thread);
    }

    private static void await(Semaphore told, int times) throws InterruptedException {
        assertTrue(told.tryAcquire(times, 5, TimeUnit.SECONDS), "not told");
    }

    private static int send(UnixSocket socket) {
        return call(() -> socket.write(ByteBuffer.allocateDirect(1000), 0, 1000));
    }

    private static int receive(UnixSocket socket) {
        return call(() -> socket.read(ByteBuffer.allocateDirect(1000), 0, 1000));
    }

    private static int call(Callable<Integer> operation) {
        try {
            return operation.call();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void closeQuietly(FileDescriptor fd) {
        try {
            fd.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
