package io.github.nettyunix.handler;

import io.netty.util.internal.logging.InternalLoggerFactory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The log of refusals, which all channels share. */
public final class RefusalLogStress {
    private RefusalLogStress() {
    }

    /** Two peers are refused at once: one line is logged. */
    @JCStressTest
    @Outcome(id = {"true, false", "false, true"}, expect = Expect.ACCEPTABLE, desc = "one line")
    @Outcome(expect = Expect.FORBIDDEN, desc = "two lines, or none")
    @State
    public static class RefuseAndRefuse {
        private final RefusalLog log =
                new RefusalLog(InternalLoggerFactory.getInstance(RefusalLogStress.class), Long.MAX_VALUE / 2);

        /** One event loop. */
        @Actor
        public void one(ZZ_Result r) {
            r.r1 = log.line("one") != null;
        }

        /** Another one. */
        @Actor
        public void other(ZZ_Result r) {
            r.r2 = log.line("other") != null;
        }
    }
}
