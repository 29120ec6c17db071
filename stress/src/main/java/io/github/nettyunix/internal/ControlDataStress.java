package io.github.nettyunix.internal;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.ControlDataOptions.Wanted;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Mode;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.Signal;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** Options that other threads set while the event loop reads. */
public final class ControlDataStress {
    private ControlDataStress() {
    }

    /** The settings of a channel, whose socket no option here touches. */
    private static class Settings {
        final ChannelSettings settings;
        final ControlDataOptions options;

        Settings() {
            NativeTransport.ensureAvailability();
            settings = new ChannelSettings(null, SocketType.STREAM, new UnixSocket(Integer.MAX_VALUE), null);
            options = settings.controlData();
        }
    }

    /**
     * Descriptors are enabled while the event loop reads. Once the option is set, no read that makes the kernel discard
     * descriptors is under way, so that a peer may send one as soon as it learns that.
     */
    @JCStressTest
    @Outcome(id = "false, false", expect = Expect.ACCEPTABLE, desc = "a read that discards, before the option is set")
    @Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "a read that receives, while the option is set")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "a read that receives, with the option set")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a read that discards, with the option set")
    @State
    public static class EnableAndRead extends Settings {
        private volatile boolean enabled;

        /** Another thread. */
        @Actor
        public void setter() {
            options.set(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
            enabled = true;
        }

        /** The event loop, whose system call may be anywhere between begin and end. */
        @Actor
        public void loop(ZZ_Result r) {
            r.r1 = options.beginRead().maxFds() > 0;
            r.r2 = enabled;
            options.endRead();
        }
    }

    /** Two options are set at once: both count in the end. */
    @JCStressTest
    @Outcome(id = "5, true", expect = Expect.ACCEPTABLE, desc = "both")
    @Outcome(expect = Expect.FORBIDDEN, desc = "one is lost")
    @State
    public static class SetAndSet extends Settings {
        /** One thread. */
        @Actor
        public void one() {
            options.set(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        }

        /** Another one. */
        @Actor
        public void other() {
            options.set(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 5);
        }

        /** The end. */
        @Arbiter
        public void end(IZ_Result r) {
            Wanted wanted = options.wanted();
            r.r1 = wanted.maxFds();
            r.r2 = wanted.isControlData();
        }
    }

    /** The socket passes credentials before the first read that expects them. */
    @JCStressTest
    @Outcome(id = "false, false", expect = Expect.ACCEPTABLE, desc = "neither yet")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "the socket has the option already")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "both")
    @Outcome(expect = Expect.FORBIDDEN, desc = "credentials are expected that the kernel does not send")
    @State
    public static class CredentialsAndRead {
        private final UnixSocket socket;
        private final ControlDataOptions options;

        /** Opens the socket. */
        public CredentialsAndRead() {
            socket = NativeTransport.newSocket(SocketType.STREAM);
            options = new ChannelSettings(null, SocketType.STREAM, socket, null).controlData();
        }

        /** Another thread. */
        @Actor
        public void setter() {
            options.set(UnixSocketOption.SO_PASSCRED, true);
        }

        /** The event loop. */
        @Actor
        public void loop(ZZ_Result r) {
            r.r1 = (options.beginRead().flags() & ReceiveBatch.CREDENTIALS) != 0;
            r.r2 = socket.getOption(UnixSocket.PASSCRED) > 0;
            options.endRead();
        }

        /** The end. */
        @Arbiter
        public void end(ZZ_Result r) {
            socket.closeQuietly();
        }
    }

    /** An event loop that looks at what is wanted, again and again, sees a change. */
    @JCStressTest(Mode.Termination)
    @Outcome(id = "TERMINATED", expect = Expect.ACCEPTABLE, desc = "seen")
    @Outcome(expect = Expect.FORBIDDEN, desc = "never seen")
    @State
    public static class AwaitWanted extends Settings {
        /** The event loop. */
        @Actor
        @SuppressWarnings("EmptyBlock")
        public void loop() {
            while (!options.wanted().isControlData()) {
            }
        }

        /** Another thread. */
        @Signal
        public void setter() {
            options.set(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        }
    }

    /** The same with an option that is only a field. */
    @JCStressTest(Mode.Termination)
    @Outcome(id = "TERMINATED", expect = Expect.ACCEPTABLE, desc = "seen")
    @Outcome(expect = Expect.FORBIDDEN, desc = "never seen")
    @State
    public static class AwaitSetting extends Settings {
        /** The event loop. */
        @Actor
        @SuppressWarnings("EmptyBlock")
        public void loop() {
            while (!settings.isAllowHalfClosure()) {
            }
        }

        /** Another thread. */
        @Signal
        public void setter() {
            settings.setAllowHalfClosure(true);
        }
    }
}
