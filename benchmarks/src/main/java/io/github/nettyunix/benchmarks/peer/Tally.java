package io.github.nettyunix.benchmarks.peer;

import java.util.concurrent.atomic.AtomicLong;

/** What a server has received. One thread counts, another reads. */
public final class Tally {
    private final int size;
    private final AtomicLong messages = new AtomicLong();
    private final AtomicLong errors = new AtomicLong();

    public Tally(int size) {
        this.size = size;
    }

    /** Counts a message and checks its header. */
    public void message(int length, int rest, long number) {
        long count = messages.get();
        if (length != size || rest != size - Integer.BYTES || number != count) {
            error();
        }
        messages.lazySet(count + 1);
    }

    /** Counts something that has no number. */
    public void one() {
        messages.lazySet(messages.get() + 1);
    }

    public void error() {
        errors.lazySet(errors.get() + 1);
    }

    long messages() {
        return messages.get();
    }

    long errors() {
        return errors.get();
    }

    void reset() {
        messages.set(0);
        errors.set(0);
    }
}
