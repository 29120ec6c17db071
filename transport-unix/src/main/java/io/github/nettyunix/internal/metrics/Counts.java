package io.github.nettyunix.internal.metrics;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counters that an event loop writes and any thread reads. A write is an ordinary store, since there is one writer. It
 * is opaque, so that it becomes visible in time, and is never seen in part.
 */
public class Counts {
    private static final VarHandle ELEMENTS = MethodHandles.arrayElementVarHandle(long[].class);

    // Created by the first count: most of the memory of a connection that has never been used would be counters.
    private volatile long[] values;
    private final int padding;

    /** @param padding how many elements on both sides belong to no other object, which another thread might write */
    Counts(int padding) {
        this.padding = padding;
    }

    /** Adds to a counter. Called by the event loop only. */
    final void add(Counter counter, long number) {
        long[] elements = values;
        if (elements == null) {
            elements = new long[Counter.COUNT + 2 * padding];
            values = elements;
        }
        int index = padding + counter.ordinal();
        ELEMENTS.setOpaque(elements, index, elements[index] + number);
    }

    /** Returns the value of a counter. May be called on any thread. */
    public final long get(Counter counter) {
        long[] elements = values;
        return elements == null ? 0 : (long) ELEMENTS.getOpaque(elements, padding + counter.ordinal());
    }
}
