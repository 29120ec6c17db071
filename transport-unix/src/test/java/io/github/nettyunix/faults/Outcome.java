package io.github.nettyunix.faults;

import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.internal.socket.Errno;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/** What was seen while a system call failed. Filled in by one thread. */
final class Outcome {
    static final long TIMEOUT_SECONDS = Long.getLong("nettyunix.faults.timeout", 20);

    private static final long STALL_MILLIS = 60;

    private final Fault fault;
    private final List<Throwable> failedWrites = new ArrayList<>();
    private final List<Throwable> caught = new ArrayList<>();
    private Throwable failure;
    private boolean closed;
    private boolean dropped;
    private boolean lateReport;
    private boolean fileLeft;
    private boolean stalled;

    Outcome(Fault fault) {
        this.fault = fault;
    }

    /** The promise of a write has failed. */
    void writeFailed(Throwable cause) {
        failedWrites.add(cause);
    }

    /** {@code exceptionCaught}. */
    void caught(List<Throwable> causes) {
        caught.addAll(causes);
    }

    /** The operation has failed. */
    void failed(Throwable cause) {
        failure = cause;
    }

    boolean hasFailed() {
        return failure != null;
    }

    boolean hasReports() {
        return !caught.isEmpty();
    }

    /** The channel has closed of its own accord. */
    void closed() {
        closed = true;
    }

    /** {@code exceptionCaught} has come at the end of the stream. */
    void reportedAtEnd(List<Throwable> causes) {
        caught.addAll(causes);
        lateReport = true;
    }

    /** The socket file is still there. */
    void fileLeft() {
        fileLeft = true;
    }

    /** An accepted connection was closed. */
    void dropped() {
        dropped = true;
    }

    /**
     * Waits until everything has happened. If the call keeps failing, nothing may happen before it works again; then
     * the event loop must be idle meanwhile.
     */
    void await(BooleanSupplier done, Supplier<String> what) throws InterruptedException {
        if (fault.isPermanent()) {
            if (!within(STALL_MILLIS, done)) {
                FaultyLoop.assertIdle();
                stalled = !done.getAsBoolean();
            }
        }
        if (!fault.isPermanent() || stalled) {
            if (stalled) {
                Injector.clear();
            }
            assertTrue(within(TimeUnit.SECONDS.toMillis(TIMEOUT_SECONDS), done),
                    () -> "hangs: " + what.get() + "; " + this);
        }
    }

    static void awaitPlainly(BooleanSupplier done, String what) {
        if (!within(TimeUnit.SECONDS.toMillis(TIMEOUT_SECONDS), done)) {
            fail("hangs: " + what);
        }
    }

    private static boolean within(long millis, BooleanSupplier done) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!done.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(200_000);
        }
        return true;
    }

    /** Classifies it, and checks that what was reported names the errno, or the one that is given. */
    Reaction reaction(String named) {
        Reaction result = classify();
        if (result == Reaction.UNSUPPORTED) {
            return result;
        }
        Throwable reported = failure != null ? failure : !failedWrites.isEmpty() && caught.isEmpty()
                ? failedWrites.get(0) : !caught.isEmpty() ? caught.get(0) : null;
        if (reported != null) {
            boolean isNamed = reported instanceof UnixSocketError error && error.errnoName().equals(named);
            assertTrue(names(reported) || isNamed, () -> "says nothing of " + fault.errno() + ": " + reported);
        }
        return result;
    }

    private Reaction classify() {
        if (failure != null) {
            return failure instanceof UnsupportedOperationException ? Reaction.UNSUPPORTED
                    : fileLeft ? Reaction.FAILS_AND_LEAVES_FILE : closed ? Reaction.FAILS_AND_CLOSES : Reaction.FAILS;
        }
        if (dropped) {
            return Reaction.DROPS_CONNECTION;
        }
        if (lateReport) {
            return Reaction.REPORTS_AT_END;
        }
        if (!caught.isEmpty()) {
            return closed ? Reaction.CLOSES : Reaction.REPORTS;
        }
        if (!failedWrites.isEmpty()) {
            return closed ? Reaction.ENDS_CONNECTION : Reaction.FAILS_WRITE;
        }
        if (closed) {
            fail("the channel has closed without a word");
        }
        if (fileLeft) {
            return Reaction.LEAVES_FILE;
        }
        return stalled ? Reaction.WAITS : Reaction.GOES_ON;
    }

    /** Whether an exception, or its cause, says what has failed. */
    private boolean names(Throwable cause) {
        for (Throwable t = cause; t != null; t = t.getCause()) {
            String message = String.valueOf(t.getMessage());
            if (t instanceof UnixSocketError error && error.errno() == fault.number() || message.contains(fault.errno())
                    || message.contains(Errno.message(fault.number()))) {
                return true;
            }
        }
        return false;
    }

    /** Where nothing waits for that one call only, waiting does not show. */
    static boolean agrees(Reaction expected, Reaction seen) {
        return seen == expected || expected == Reaction.WAITS && seen == Reaction.GOES_ON;
    }

    @Override
    public String toString() {
        return "failure " + failure + ", writes " + failedWrites + ", caught " + caught
                + (closed ? ", closed" : "") + (stalled ? ", stalled" : "");
    }
}
