package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixSocketAddress;

import java.util.concurrent.TimeUnit;

/**
 * A recipient whose queue was full, the datagrams that wait for it, and the time of the next attempt. No event reports
 * that an unconnected recipient has room, so the time is estimated. A recipient that is reading is given the time that
 * it needs for a few datagrams, judging by the last ones. A recipient that has read nothing is tried less and less
 * often.
 */
public final class RecipientBackoff {
    static final long FIRST_DELAY_NANOS = TimeUnit.MICROSECONDS.toNanos(20);
    static final long LAST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    /** The room to wait for: half of what Linux queues by default, so that the reader does not run out of work. */
    static final int ROOM = 5;

    /** The datagrams that wait for the recipient, in order. */
    final DatagramChain waiting = new DatagramChain();

    private final UnixSocketAddress recipient;
    private boolean blocked;
    private boolean untilEvent;
    private long due;
    private long delay;
    private long refusedAt;
    private int room = 1;
    private int taken;

    /** @param recipient {@code null} for the peer that the channel is connected to */
    RecipientBackoff(UnixSocketAddress recipient) {
        this.recipient = recipient;
    }

    UnixSocketAddress recipient() {
        return recipient;
    }

    /** Whether nothing must be sent to it before {@link #due}. */
    boolean isBlocked() {
        return blocked;
    }

    /** Whether it is blocked until an event reports that there is room, as opposed to a time at which to try again. */
    boolean isAwaitingEvent() {
        return blocked && untilEvent;
    }

    /** Returns the time of the next attempt, in the time of {@link System#nanoTime}. */
    long due() {
        return due;
    }

    /** The recipient has taken a datagram. */
    void taken() {
        taken++;
    }

    /** The recipient's queue is full. */
    void refused(long now) {
        if (delay == 0) {
            delay = FIRST_DELAY_NANOS;
        } else if (taken == 0) {
            delay = Math.min(2 * delay, LAST_DELAY_NANOS);
        } else {
            if (taken >= room) {
                room = Math.min(2 * room, ROOM);
            } else if (taken < room / 2) {
                room = taken;
            }
            long each = (now - refusedAt) / taken;
            delay = Math.max(Math.min(each * room, LAST_DELAY_NANOS), FIRST_DELAY_NANOS);
        }
        refusedAt = now;
        taken = 0;
        block(now + delay, false);
    }

    /** The recipient's queue is full, and an event will report that it has room. */
    void refusedUntilEvent(long now) {
        taken = 0;
        block(now + Long.MAX_VALUE / 2, true);
    }

    private void block(long until, boolean untilEvent) {
        blocked = true;
        this.untilEvent = untilEvent;
        due = until;
    }

    /** Sets the latest time of the next attempt. */
    void limit(long latest) {
        if (latest - due < 0) {
            due = latest;
        }
    }

    /** It is time to try again. */
    void unblock() {
        blocked = false;
    }
}
