package io.github.nettyunix.internal.metrics;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJ_Result;

/** Counters, which the event loop writes with ordinary stores while other threads read them. */
public final class CountsStress {
    private CountsStress() {
    }

    /** A counter only grows, on whichever thread it is read, and although the first count creates it. */
    @JCStressTest
    @Outcome(id = {"0, 0", "0, 1", "0, 4294967297", "1, 1", "1, 4294967297", "4294967297, 4294967297"},
            expect = Expect.ACCEPTABLE, desc = "it grows")
    @Outcome(expect = Expect.FORBIDDEN, desc = "it shrinks, or half of a value is seen")
    @State
    public static class CountAndRead {
        private final Counts counts = new Counts(0);

        /** The event loop. */
        @Actor
        public void counter() {
            counts.add(Counter.BYTES_SENT, 1);
            counts.add(Counter.BYTES_SENT, 1L << 32);
        }

        /** Another thread. */
        @Actor
        public void reader(JJ_Result r) {
            r.r1 = counts.get(Counter.BYTES_SENT);
            r.r2 = counts.get(Counter.BYTES_SENT);
        }
    }
}
