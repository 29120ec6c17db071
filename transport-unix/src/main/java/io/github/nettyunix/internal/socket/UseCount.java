package io.github.nettyunix.internal.socket;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * Counts the system calls in progress on a descriptor's number, so that the number is not closed, and given to another
 * file, under any of them. A use that begins after the descriptor was closed fails; uses in progress delay the closing
 * of the number, and the last one performs it. Neither waits for the other.
 *
 * <pre>{@code
 * if (!USES.begin(this)) return -Errno.EBADF;
 * try { return call(number); } finally { if (USES.end(this)) close(number); }
 * }</pre>
 *
 * <p>The count is a field of its owner, initially 0, to spare an object per descriptor. A use must be a system call, or
 * a few, that cannot block: {@link #detach} waits for it.
 *
 * <p>It is a record because the compiler trusts the fields of records: those of a static one are constants to it.
 *
 * @param <T> what owns a number
 * @param state the field of the owner
 */
public record UseCount<T>(AtomicIntegerFieldUpdater<T> state) {
    /** Returned by {@link #close} if the owner was already closed. */
    public static final int ALREADY = -1;

    private static final int CLOSED = 1 << 31;

    /** Begins a use, to be ended by {@link #end}; false if the owner is closed. */
    public boolean begin(T owner) {
        for (;;) {
            int now = state.get(owner);
            if (now < 0) {
                return false;
            }
            if (state.compareAndSet(owner, now, now + 1)) {
                return true;
            }
        }
    }

    /**
     * Ends a use; true if the owner is closed and this was the last use, whereupon the caller must close the number.
     */
    public boolean end(T owner) {
        return state.decrementAndGet(owner) == CLOSED;
    }

    /**
     * Closes the owner, after which no use begins.
     *
     * @return how many uses are in progress: if none, the caller must close the number, otherwise the last one's
     *         {@link #end} says so; {@link #ALREADY} if the owner was closed before
     */
    public int close(T owner) {
        for (;;) {
            int now = state.get(owner);
            if (now < 0) {
                return ALREADY;
            }
            if (state.compareAndSet(owner, now, now | CLOSED)) {
                return now;
            }
        }
    }

    /**
     * Closes the owner for a caller who holds a use, and waits until that is the only one left; false if it was closed
     * before. On success, the use must not be ended: the number then belongs to the caller.
     */
    public boolean detach(T owner) {
        for (;;) {
            int now = state.get(owner);
            if (now < 0) {
                return false;
            }
            if (state.compareAndSet(owner, now, now | CLOSED)) {
                break;
            }
        }
        while (state.get(owner) != (CLOSED | 1)) {
            // The other use is in a system call that does not block, or its thread waits for a processor.
            Thread.yield();
        }
        return true;
    }

    public boolean isOpen(T owner) {
        return state.get(owner) >= 0;
    }
}
