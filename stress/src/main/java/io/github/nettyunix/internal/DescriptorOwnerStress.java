package io.github.nettyunix.internal;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.util.IllegalReferenceCountException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

import java.io.IOException;

/**
 * Who closes the number of a {@link UnixFileDescriptor}. The number is that of no open file: whoever closes it is told
 * that there is none.
 */
public final class DescriptorOwnerStress {
    private DescriptorOwnerStress() {
    }

    /** A descriptor with one reference. */
    private static class Shared {
        static final int NO_FILE = Integer.MAX_VALUE;

        final UnixFileDescriptor fd;

        Shared() {
            NativeTransport.ensureAvailability();
            fd = OwnedDescriptors.adopt(NO_FILE, false);
        }

        /** Closes it; returns whether this has closed the number. */
        boolean close() {
            try {
                fd.close();
                return false;
            } catch (IOException e) {
                return true;
            }
        }

        /** Drops a reference; returns whether this has to close the number. */
        boolean release() {
            return OwnedDescriptors.ACCESS.releaseNumber().test(fd);
        }
    }

    /** Close against close: one of them closes the number, and the other one has no effect. */
    @JCStressTest
    @Outcome(id = {"true, false", "false, true"}, expect = Expect.ACCEPTABLE, desc = "closed once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "closed twice, or not at all")
    @State
    public static class CloseAndClose extends Shared {
        /** One thread. */
        @Actor
        public void one(ZZ_Result r) {
            r.r1 = close();
        }

        /** Another one. */
        @Actor
        public void other(ZZ_Result r) {
            r.r2 = close();
        }
    }

    /** Close against the last release: one of them closes the number. */
    @JCStressTest
    @Outcome(id = {"true, false", "false, true"}, expect = Expect.ACCEPTABLE, desc = "closed once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "closed twice, or not at all")
    @State
    public static class CloseAndRelease extends Shared {
        /** One thread. */
        @Actor
        public void closer(ZZ_Result r) {
            r.r1 = close();
        }

        /** Another one. */
        @Actor
        public void releaser(ZZ_Result r) {
            r.r2 = release();
        }
    }

    /** Two references are released at once: the last one closes the number, whichever that is. */
    @JCStressTest
    @Outcome(id = {"true, false", "false, true"}, expect = Expect.ACCEPTABLE, desc = "closed once")
    @Outcome(expect = Expect.FORBIDDEN, desc = "closed twice, or not at all")
    @State
    public static class ReleaseAndRelease extends Shared {
        /** Adds the second reference. */
        public ReleaseAndRelease() {
            fd.retain();
        }

        /** One thread. */
        @Actor
        public void one(ZZ_Result r) {
            r.r1 = release();
        }

        /** Another one. */
        @Actor
        public void other(ZZ_Result r) {
            r.r2 = release();
        }
    }

    /**
     * Retain against the last release, by a thread without a reference of its own: it gets an open descriptor, or an
     * exception.
     */
    @JCStressTest
    @Outcome(id = "true, false, true", expect = Expect.ACCEPTABLE, desc = "retained, and open")
    @Outcome(id = "false, true, false", expect = Expect.ACCEPTABLE, desc = "refused, and closed")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a reference to a closed descriptor, or an open one without references")
    @State
    public static class RetainAndRelease extends Shared {
        /** One thread. */
        @Actor
        public void retainer(ZZZ_Result r) {
            try {
                fd.retain();
                r.r1 = true;
            } catch (IllegalReferenceCountException e) {
                r.r1 = false;
            }
        }

        /** Another one. */
        @Actor
        public void releaser(ZZZ_Result r) {
            r.r2 = release();
        }

        /** The end. */
        @Arbiter
        public void end(ZZZ_Result r) {
            r.r3 = fd.isOpen();
        }
    }

    /** Detach against close: the number is the caller's of detach, or closed. */
    @JCStressTest
    @Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "detached")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "closed")
    @Outcome(id = "false, false", expect = Expect.ACCEPTABLE, desc = "closed by the use that detach had begun")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the caller has a number that was closed")
    @State
    public static class DetachAndClose extends Shared {
        /** One thread. */
        @Actor
        public void detacher(ZZ_Result r) {
            try {
                r.r1 = fd.detach() == NO_FILE;
            } catch (IllegalStateException e) {
                r.r1 = false;
            }
        }

        /** Another one. */
        @Actor
        public void closer(ZZ_Result r) {
            r.r2 = close();
        }
    }
}
