package io.github.nettyunix.internal.read;

/**
 * Handles reads that fail while the channel stays open, for example because memory is exhausted. The socket remains
 * ready, so the next read is delayed, each time for longer. A failure that repeats is reported once.
 */
public final class ReadFailures {
    private static final int FIRST_MILLIS = 10;
    private static final int MOST_MILLIS = 1000;

    private String last;
    private int millis;
    private boolean waiting;

    /** A read has worked. */
    void succeeded() {
        last = null;
        millis = 0;
    }

    /** A read has worked in the turn that has then failed: the next one need not wait for long. */
    void progressed() {
        millis = 0;
    }

    /** A read has failed; returns whether to report it. */
    boolean isNew(Throwable cause) {
        String text = cause.toString();
        boolean isNew = !text.equals(last);
        last = text;
        return isNew;
    }

    /** Begins to wait and returns for how long. */
    int startWaiting() {
        waiting = true;
        millis = Math.min(Math.max(2 * millis, FIRST_MILLIS), MOST_MILLIS);
        return millis;
    }

    /** Whether reads have to wait. */
    boolean isWaiting() {
        return waiting;
    }

    void stopWaiting() {
        waiting = false;
    }
}
