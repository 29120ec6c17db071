package io.github.nettyunix.benchmarks.peer;

import java.util.concurrent.atomic.AtomicLong;

/** Counts what a server has received. One thread counts, another reads. */
public final class Counters {
    private final int size;
    private final AtomicLong messages = new AtomicLong();
    private final AtomicLong errors = new AtomicLong();

    Counters(int size) {
        this.size = size;
    }

    /** Counts a message and checks its length and its header. */
    void message(int length, int rest, long number) {
        long count = messages.get();
        if (length != size || rest != size - Integer.BYTES || number != count) {
            error();
        }
        messages.lazySet(count + 1);
    }

    /** Counts something that has no header. */
    void one() {
        messages.lazySet(messages.get() + 1);
    }

    void error() {
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
