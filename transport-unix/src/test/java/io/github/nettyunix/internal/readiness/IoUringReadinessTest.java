package io.github.nettyunix.internal.readiness;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoOps;
import io.netty.channel.IoRegistration;
import io.netty.channel.uring.IoUringIoEvent;
import io.netty.util.concurrent.ImmediateEventExecutor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

import static io.github.nettyunix.internal.readiness.Readiness.READ;
import static io.github.nettyunix.internal.readiness.Readiness.WRITE;
import static io.netty.channel.unix.Errors.newIOException;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a kernel and a ring seldom do, on a loop without either. */
@Tag("once")
@ExtendWith(LeakCheckExtension.class)
class IoUringReadinessTest {
    private static final byte POLL_ADD = 6;
    private static final byte ASYNC_CANCEL = 14;
    private static final int MORE = 2;
    private static final int IN = 1;
    private static final int ECANCELED = 125;

    private final List<String> ops = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private final IoRegistration registration = new Registration();
    private Runnable onReadable = () -> { };
    private Readiness.RefusedException refused;
    private RuntimeException failure;
    private UnixSocket socket;
    private UnixSocket peer;
    private IoUringReadiness readiness;

    /** A loop's registration: the number of a submission is its place in {@link #ops}. */
    private final class Registration implements IoRegistration {
        private boolean canceled;

        @Override
        public <T> T attachment() {
            return null;
        }

        @Override
        public long submit(IoOps submitted) {
            if (failure != null) {
                throw failure;
            }
            ops.add(submitted.toString());
            return ops.size();
        }

        @Override
        public boolean isValid() {
            return !canceled;
        }

        @Override
        public boolean cancel() {
            canceled = true;
            return true;
        }
    }

    private final class Listener implements CheapListener {
        @Override
        public boolean readReady() {
            told.add("readable");
            onReadable.run();
            return true;
        }

        @Override
        public void writeReady() {
            told.add("writable");
        }

        @Override
        public void peerClosed() {
            told.add("closed");
        }

        @Override
        public void refused(Readiness.RefusedException cause) {
            refused = cause;
        }

        @Override
        public void closeByLoop() {
        }
    }

    @BeforeEach
    void register() throws Exception {
        int[] fds = new int[2];
        assertEquals(0, UnixSocket.newSocketPair(SocketType.STREAM.ordinal(), fds));
        socket = new UnixSocket(fds[0]);
        peer = new UnixSocket(fds[1]);
        readiness = (IoUringReadiness) IoUringReadiness.SELECTOR.newReadiness(socket, new Listener());
        IoEventLoop loop = (IoEventLoop) Proxy.newProxyInstance(IoEventLoop.class.getClassLoader(),
                new Class<?>[] {IoEventLoop.class},
                (proxy, method, arguments) -> ImmediateEventExecutor.INSTANCE.newSucceededFuture(registration));
        readiness.register(loop);
    }

    @AfterEach
    void close() {
        socket.closeQuietly();
        peer.closeQuietly();
    }

    /** The kernel completes the poll with this sequence number. */
    private void complete(int sequence, int result, int flags) {
        readiness.handle(registration, new IoUringIoEvent(result, flags, POLL_ADD, (long) sequence));
    }

    private void assertPoll(int place, int multishot, int sequence) {
        String op = ops.get(place - 1);
        assertTrue(op.contains("opcode=" + POLL_ADD + ",") && op.contains("fd=" + socket.intValue() + ",")
                && op.contains("len=" + multishot + ",") && op.contains("data=" + sequence + ","), op);
    }

    private void assertCancel(int place, int poll) {
        String op = ops.get(place - 1);
        assertTrue(op.contains("opcode=" + ASYNC_CANCEL + ",") && op.contains("union2=" + poll + ","), op);
    }

    @Test
    void aReaderIsPolledOneEventAtATime() throws Exception {
        readiness.start(READ);
        assertPoll(1, 0, 1);
        complete(1, IN, 0);
        assertEquals(List.of("readable"), told);
        assertPoll(2, 0, 2);
        assertEquals(2, ops.size());
    }

    @Test
    void aChannelThatDoesNotReadHasOnePollForAllEvents() throws Exception {
        readiness.start(WRITE);
        assertPoll(1, 1, 1);
        complete(1, 4, MORE);
        assertEquals(List.of("writable"), told);
        assertEquals(1, ops.size());
        // The kernel ends it, for example because the ring of completions is full.
        complete(1, 4, 0);
        assertEquals(List.of("writable", "writable"), told);
        assertPoll(2, 1, 2);
    }

    @Test
    void aPollForAnotherInterestIsReplaced() throws Exception {
        readiness.start(READ);
        readiness.interest(READ | WRITE);
        assertCancel(2, 1);
        assertPoll(3, 0, 2);
        complete(1, IN, 0);
        complete(1, -ECANCELED, 0);
        assertEquals(List.of(), told);
        assertNull(refused);
        assertEquals(3, ops.size());
    }

    @Test
    void severalChangesInOneEventAreOnePoll() throws Exception {
        readiness.start(READ);
        onReadable = () -> {
            try {
                readiness.interest(0);
                readiness.interest(WRITE);
            } catch (Readiness.RefusedException e) {
                throw new AssertionError(e);
            }
        };
        complete(1, IN, 0);
        assertPoll(2, 1, 2);
        assertEquals(2, ops.size());
    }

    @Test
    void noPollFollowsACancellationInAnEvent() throws Exception {
        readiness.start(READ);
        onReadable = () -> {
            readiness.cancel();
            assertNull(readiness.release());
        };
        complete(1, IN, 0);
        assertEquals(1, ops.size());
    }

    @Test
    void aPollThatFailsIsReported() throws Exception {
        readiness.start(READ);
        complete(1, -Errno.EBADF, 0);
        assertEquals(Errno.EBADF, refused.errno());
        assertEquals(Operation.IO_URING_ENTER, readiness.systemCall());
        assertNull(readiness.hint(Errno.EBADF));
        assertEquals(1, ops.size());
    }

    @Test
    void aKernelWithoutMultishotPollsIsNamed() throws Exception {
        readiness.start(0);
        complete(1, -Errno.EINVAL, 0);
        assertEquals("multishot polls need Linux 5.13", readiness.hint(refused.errno()));
    }

    @Test
    void aRingThatTakesNoPollRefusesTheInterest() throws Exception {
        failure = new UncheckedIOException(newIOException("io_uring_enter", -Errno.EAGAIN));
        assertEquals(Errno.EAGAIN, assertThrows(Readiness.RefusedException.class, () -> readiness.start(READ)).errno());
        failure = null;
        // Nothing holds the socket then.
        readiness.cancel();
        assertNull(readiness.release());
    }

    @Test
    void aRingThatTakesNoPollAfterAnEventIsReported() throws Exception {
        readiness.start(READ);
        failure = new IllegalStateException("full");
        complete(1, IN, 0);
        assertEquals(List.of("readable"), told);
        assertEquals(0, refused.errno());
        assertEquals("full", refused.getCause().getCause().getMessage());
    }

    @Test
    void theNumberStaysInUseUntilAllPollsHaveEnded() throws Exception {
        readiness.start(READ);
        readiness.interest(WRITE);
        readiness.interest(READ);
        Executor release = readiness.release();
        assertNotNull(release);
        release.execute(() -> told.add("released"));
        readiness.cancel();
        socket.closeQuietly();
        complete(1, -ECANCELED, 0);
        complete(2, -ECANCELED, 0);
        assertTrue(isNumberInUse());
        assertEquals(List.of(), told);
        complete(3, -ECANCELED, 0);
        assertFalse(isNumberInUse());
        assertEquals(List.of("released"), told);
    }

    @Test
    void aCloseIsCompletedWhenThePollHasEnded() throws Exception {
        Interest interest = new Interest(null);
        interest.registered(readiness);
        assertNull(interest.closeHeld(() -> told.add("not polled yet")));
        readiness.start(READ);
        Executor release = interest.closeHeld(() -> {
            interest.cancel();
            told.add("closed");
        });
        release.execute(() -> told.add("completed"));
        assertEquals(List.of("closed"), told);
        complete(1, -ECANCELED, 0);
        assertEquals(List.of("closed", "completed"), told);
    }

    @Test
    void theNumberStaysInUseIfThePollCannotBeCancelled() throws Exception {
        readiness.start(READ);
        failure = new UncheckedIOException(newIOException("io_uring_enter", -Errno.EAGAIN));
        readiness.cancel();
        socket.closeQuietly();
        assertTrue(isNumberInUse());
        failure = null;
        complete(1, IN, 0);
        assertFalse(isNumberInUse());
        assertEquals(List.of(), told);
        assertEquals(1, ops.size());
    }

    private boolean isNumberInUse() {
        return FileDescriptors.closeOnExec(socket.intValue(), true) == 0;
    }
}
