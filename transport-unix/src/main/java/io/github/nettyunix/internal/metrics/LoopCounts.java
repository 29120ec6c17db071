package io.github.nettyunix.internal.metrics;

import io.netty.channel.EventLoop;

import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;

/** The counters of event loops: the sums of what channels have counted while they were registered. */
public final class LoopCounts {
    /** Two cache lines: processors load them in pairs. */
    private static final int PADDING = 128 / Long.BYTES;

    /** Loops are of Netty's classes, which have no room for our counters. */
    private static final Map<EventLoop, Counts> ALL = Collections.synchronizedMap(new WeakHashMap<>());

    private LoopCounts() {
    }

    /** Returns the counters of a loop, which exist as long as the loop does. */
    public static Counts of(EventLoop loop) {
        return ALL.computeIfAbsent(loop, key -> new Counts(PADDING));
    }
}
