package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.internal.OwnedDescriptors;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZZ_Result;

import java.io.IOException;
import java.util.List;

/** The descriptors of a message that is being sent. */
public final class DescriptorUsesStress {
    private DescriptorUsesStress() {
    }

    /**
     * A message with two descriptors is sent while a thread closes the second one. Either both are kept open for the
     * system call, or the send fails and keeps none. Afterwards nothing delays that the first one is closed. The
     * numbers are those of no open file: whoever closes one is told so.
     */
    @JCStressTest
    @Outcome(id = "true, false, true", expect = Expect.ACCEPTABLE, desc = "sent, then closed by the sender")
    @Outcome(id = "true, true, true", expect = Expect.ACCEPTABLE, desc = "sent, closed after that")
    @Outcome(id = "false, true, true", expect = Expect.ACCEPTABLE, desc = "refused")
    @Outcome(expect = Expect.FORBIDDEN, desc = "closed while it was sent, or still in use in the end")
    @State
    public static class SendAndClose {
        private final UnixFileDescriptor first = UnixFileDescriptor.adopt(Integer.MAX_VALUE);
        private final UnixFileDescriptor second = UnixFileDescriptor.adopt(Integer.MAX_VALUE);
        private volatile boolean closed;
        private volatile boolean closedInUse;

        /** The event loop. */
        @Actor
        public void sender(ZZZ_Result r) {
            DescriptorUses uses = DescriptorUses.current();
            r.r1 = uses.begin(List.of(first, second));
            if (r.r1) {
                closedInUse = closed;
                uses.end(0);
            }
        }

        /** Another thread. */
        @Actor
        public void closer(ZZZ_Result r) {
            closed = r.r2 = closes(second);
        }

        /** The end. */
        @Arbiter
        public void end(ZZZ_Result r) {
            r.r3 = closes(first) && !closedInUse && !OwnedDescriptors.beginUse(second);
        }

        private static boolean closes(UnixFileDescriptor fd) {
            try {
                fd.close();
                return false;
            } catch (IOException e) {
                return true;
            }
        }
    }
}
