package io.github.nettyunix.internal.read;

import io.github.nettyunix.internal.socket.UnixSocket;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** The mark of records, which setting an option replaces. */
public final class RecordMarkStress {
    private static final int SOL_SOCKET = 1;
    private static final int SO_TIMESTAMP = 29;

    private RecordMarkStress() {
    }

    /** Whoever sees that records have a timestamp can rely on it: the socket has the option by then. */
    @JCStressTest
    @Outcome(id = "false, false", expect = Expect.ACCEPTABLE, desc = "neither yet")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "the socket has the option")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "both")
    @Outcome(expect = Expect.FORBIDDEN, desc = "an empty record without a mark looks like the end of the stream")
    @State
    public static class TimestampAndRead {
        private final RecordMark mark = RecordMark.ofNewSocket();
        private final UnixSocket socket = mark.socket();
        private final byte[] value = new byte[4];

        /** The thread that sets an option. */
        @Actor
        public void setter() {
            mark.timestamp();
        }

        /** Another one, such as the event loop. */
        @Actor
        public void reader(ZZ_Result r) {
            r.r1 = mark.isTimestamped();
            socket.getOption(SOL_SOCKET, SO_TIMESTAMP, value);
            r.r2 = (value[0] | value[1] | value[2] | value[3]) != 0;
        }

        /** The end. */
        @Arbiter
        public void end(ZZ_Result r) {
            socket.closeQuietly();
        }
    }
}
