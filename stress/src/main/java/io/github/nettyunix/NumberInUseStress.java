package io.github.nettyunix;

import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.UnixSocket;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * System calls on a number while another thread closes it and opens a file, which gets the same number. No call may
 * reach that file.
 */
public final class NumberInUseStress {
    private static final byte[] OTHER = "/dev/null\0".getBytes(StandardCharsets.US_ASCII);

    /** How often a number is used, so that most uses come while the other thread closes it. */
    private static final int USES = 20;

    private NumberInUseStress() {
    }

    /** Opens the other file with one system call, which leaves a user of the old number the least time. */
    private static int openOther() {
        return FileDescriptors.open(OTHER, FileDescriptors.READ, 0);
    }

    /** A descriptor that a handler looks at while another one closes it. */
    @JCStressTest
    @Outcome(id = "OTHER", expect = Expect.ACCEPTABLE, desc = "an eventfd, which it is")
    @Outcome(id = "closed", expect = Expect.ACCEPTABLE, desc = "refused")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the file that got the number")
    @State
    public static class Descriptor {
        private final UnixFileDescriptor fd;
        private int other;

        /** Opens it. */
        public Descriptor() {
            UnixTransport.ensureAvailability();
            fd = UnixFileDescriptor.adopt(FileDescriptors.eventCounter(0, false, false));
        }

        /** One thread. */
        @Actor
        public void user(L_Result r) {
            r.r1 = UnixFileDescriptor.Type.OTHER;
            try {
                for (int i = 0; i < USES && r.r1 == UnixFileDescriptor.Type.OTHER; i++) {
                    r.r1 = fd.type();
                }
            } catch (IOException e) {
                r.r1 = "closed";
            }
        }

        /** Another one. */
        @Actor
        public void closer() {
            fd.release();
            other = openOther();
        }

        /** The end. */
        @Arbiter
        public void end(L_Result r) {
            FileDescriptors.close(other);
        }
    }

    /** The option of a socket that any thread may read while the event loop closes it. */
    @JCStressTest
    @Outcome(id = "value", expect = Expect.ACCEPTABLE, desc = "the option's value")
    @Outcome(id = "-9", expect = Expect.ACCEPTABLE, desc = "EBADF, refused")
    @Outcome(expect = Expect.FORBIDDEN, desc = "the file that got the number is no socket")
    @State
    public static class Socket {
        private final UnixSocket socket;
        private int other;

        /** Opens it. */
        public Socket() {
            UnixTransport.ensureAvailability();
            socket = new UnixSocket(UnixSocket.newSocket(SocketType.STREAM.ordinal()));
        }

        /** Another thread. */
        @Actor
        public void user(L_Result r) {
            int result = 1;
            for (int i = 0; i < USES && result > 0; i++) {
                result = socket.getOption(UnixSocket.SNDBUF);
            }
            r.r1 = result > 0 ? "value" : String.valueOf(result);
        }

        /** The event loop. */
        @Actor
        public void loop() {
            socket.closeQuietly();
            other = openOther();
        }

        /** The end. */
        @Arbiter
        public void end(L_Result r) {
            FileDescriptors.close(other);
        }
    }
}
