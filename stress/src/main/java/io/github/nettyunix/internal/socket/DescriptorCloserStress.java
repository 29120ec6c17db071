package io.github.nettyunix.internal.socket;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The threads that close what may block. */
public final class DescriptorCloserStress {
    private static final int SECONDS = 20;

    /** A failure takes long, so there is only one. */
    private static volatile boolean failed;

    private DescriptorCloserStress() {
    }

    /**
     * Two calls of close that wait for each other. Each gets a thread, whether it is idle, about to be idle, or new,
     * and none is forgotten.
     */
    @JCStressTest
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "both have run at the same time")
    @Outcome(expect = Expect.FORBIDDEN, desc = "one has waited for the other, or was forgotten")
    @State
    public static class CloseAndClose {
        private final CountDownLatch both = new CountDownLatch(2);

        /** One thread. */
        @Actor
        public void one(ZZ_Result r) {
            r.r1 = execute();
        }

        /** Another one. */
        @Actor
        public void other(ZZ_Result r) {
            r.r2 = execute();
        }

        /** Waits for the end, so that there are never more of them than threads. */
        private boolean execute() {
            CountDownLatch ended = new CountDownLatch(1);
            DescriptorCloser.execute(() -> {
                both.countDown();
                if (await(both)) {
                    ended.countDown();
                }
            });
            return await(ended);
        }

        private static boolean await(CountDownLatch latch) {
            try {
                failed |= !latch.await(failed ? 0 : SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                failed = true;
            }
            return !failed;
        }
    }
}
