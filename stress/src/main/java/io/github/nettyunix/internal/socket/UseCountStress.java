package io.github.nettyunix.internal.socket;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZZI_Result;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/** The count itself, with an owner whose number is closed by adding to a counter. */
public final class UseCountStress {
    private UseCountStress() {
    }

    /** An owner as {@link UnixSocket} is one. */
    private static class Owner {
        static final UseCount<Owner> USES =
                new UseCount<>(AtomicIntegerFieldUpdater.newUpdater(Owner.class, "uses"));

        /** How often the number was closed; one call at a time, or the test has failed already. */
        volatile int closed;
        @SuppressWarnings("unused") // USES counts it.
        private volatile int uses;

        @SuppressWarnings("NonAtomicVolatileUpdate")
        void closeNumber() {
            closed++;
        }

        /** Makes a "system call"; returns how often the number was closed before the call returned, -1 if refused. */
        int use() {
            if (!USES.begin(this)) {
                return -1;
            }
            int result = closed;
            if (USES.end(this)) {
                closeNumber();
            }
            return result;
        }

        void close() {
            if (USES.close(this) == 0) {
                closeNumber();
            }
        }
    }

    /**
     * A use against close. Either the use is refused, or the number is open as long as it lasts. In both cases the
     * number is closed once in the end.
     */
    @JCStressTest
    @Outcome(id = "-1, 1", expect = Expect.ACCEPTABLE, desc = "closed before the use")
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "used, and closed after that")
    @Outcome(expect = Expect.FORBIDDEN, desc = "used after it was closed, or not closed once")
    @State
    public static class UseAndClose extends Owner {
        /** The other thread. */
        @Actor
        public void user(II_Result r) {
            r.r1 = use();
        }

        /** The owner. */
        @Actor
        public void closer() {
            close();
        }

        /** The end. */
        @Arbiter
        public void end(II_Result r) {
            r.r2 = closed;
        }
    }

    /** Two uses, of which one ends while the other one may begin, against nothing: none closes the number. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "open, and in nobody's use")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a use was lost")
    @State
    public static class UseAndUse extends Owner {
        /** One thread. */
        @Actor
        public void one() {
            use();
        }

        /** Another one. */
        @Actor
        public void other() {
            use();
        }

        /** The end: how many uses are left. */
        @Arbiter
        public void end(II_Result r) {
            r.r1 = closed;
            r.r2 = USES.close(this);
        }
    }

    /** Close against close, while a third party uses the number: the last use closes it, and nobody else does. */
    @JCStressTest
    @Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "closed once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "closed twice, or not at all")
    @State
    public static class CloseAndClose extends Owner {
        /** One thread, which used it before. */
        @Actor
        public void one() {
            use();
            close();
        }

        /** Another one. */
        @Actor
        public void other() {
            close();
        }

        /** The end. */
        @Arbiter
        public void end(I_Result r) {
            r.r1 = closed;
        }
    }

    /**
     * Detach against close. One of them gets the number: it is closed once, or belongs to the caller of detach and
     * stays open.
     */
    @JCStressTest
    @Outcome(id = "true, false, 0", expect = Expect.ACCEPTABLE, desc = "detached")
    @Outcome(id = "false, true, 1", expect = Expect.ACCEPTABLE, desc = "closed")
    @Outcome(expect = Expect.FORBIDDEN, desc = "both, or none")
    @State
    public static class DetachAndClose extends Owner {
        /** One thread. */
        @Actor
        public void detacher(ZZI_Result r) {
            if (USES.begin(this)) {
                r.r1 = USES.detach(this);
                if (!r.r1 && USES.end(this)) {
                    closeNumber();
                }
            }
        }

        /** Another one. */
        @Actor
        public void closer(ZZI_Result r) {
            int inProgress = USES.close(this);
            r.r2 = inProgress != UseCount.ALREADY;
            if (inProgress == 0) {
                closeNumber();
            }
        }

        /** The end. */
        @Arbiter
        public void end(ZZI_Result r) {
            r.r3 = closed;
        }
    }

    /**
     * Detach against a use. When detach returns, no use is in progress and none begins: the caller may give the number
     * to somebody who closes it.
     */
    @JCStressTest
    @Outcome(id = "-1, 1", expect = Expect.ACCEPTABLE, desc = "detached before the use")
    @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "used before it was detached")
    @Outcome(expect = Expect.FORBIDDEN, desc = "used although it was somebody else's")
    @State
    public static class UseAndDetach extends Owner {
        /** The other thread. */
        @Actor
        public void user(II_Result r) {
            r.r1 = use();
        }

        /** The owner, whose successor closes the number. */
        @Actor
        public void detacher() {
            if (USES.begin(this) && USES.detach(this)) {
                closeNumber();
            }
        }

        /** The end. */
        @Arbiter
        public void end(II_Result r) {
            r.r2 = closed;
        }
    }
}
