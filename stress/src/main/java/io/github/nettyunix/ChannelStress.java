package io.github.nettyunix;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Mode;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.Signal;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

import java.util.List;

import static io.github.nettyunix.internal.readiness.Readiness.READ;

/** What other threads see of a channel, and change of it, while its event loop works. */
public final class ChannelStress {
    private ChannelStress() {
    }

    /** A channel without an event loop. */
    private static class Unregistered {
        final UnixStreamChannel channel = new UnixStreamChannel();
    }

    /** A thread that sees that a channel is active also sees its addresses. */
    @JCStressTest
    @Outcome(id = "false, false", expect = Expect.ACCEPTABLE, desc = "neither yet")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "about to become active")
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "active")
    @Outcome(expect = Expect.FORBIDDEN, desc = "active without an address")
    @State
    public static class ActiveAndAddress extends Unregistered {
        /** The event loop, or the thread that adopts the socket. */
        @Actor
        public void loop() {
            channel.setActive(UnixSocketAddress.unnamed(), UnixSocketAddress.unnamed());
        }

        /** Another thread. */
        @Actor
        public void reader(ZZ_Result r) {
            r.r1 = channel.isActive();
            r.r2 = channel.localAddress() != null && channel.remoteAddress() != null;
        }

        /** The end. */
        @Arbiter
        public void end(ZZ_Result r) {
            channel.socket.closeQuietly();
        }
    }

    /** A thread that waits for a channel to become active sees that it does. */
    @JCStressTest(Mode.Termination)
    @Outcome(id = "TERMINATED", expect = Expect.ACCEPTABLE, desc = "seen")
    @Outcome(expect = Expect.FORBIDDEN, desc = "never seen")
    @State
    public static class AwaitActive extends Unregistered {
        /** The thread that waits. */
        @Actor
        @SuppressWarnings("EmptyBlock")
        public void reader() {
            while (!channel.isActive()) {
            }
        }

        /** The event loop. */
        @Signal
        public void loop() {
            channel.setActive(UnixSocketAddress.unnamed(), UnixSocketAddress.unnamed());
            channel.socket.closeQuietly();
        }
    }

    /**
     * Two threads turn auto-read off, and one of them on again. Whatever the order of the tasks that this leaves on the
     * event loop, a channel whose auto-read is on waits for input in the end. One that it is off for may do so, because
     * of the read that was requested before.
     */
    @JCStressTest
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "on")
    @Outcome(id = "false, false", expect = Expect.ACCEPTABLE, desc = "off")
    @Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "off, with a read requested before")
    @Outcome(expect = Expect.FORBIDDEN, desc = "on, and nothing is read ever again")
    @State
    public static class AutoRead {
        private static final EventLoopGroup LOOP = new MultiThreadIoEventLoopGroup(1,
                new DefaultThreadFactory("loop", true), UnixTransport.newIoHandlerFactory());

        private final List<UnixStreamChannel> pair = UnixStreamChannel.pair();
        private final UnixStreamChannel channel = pair.get(0);

        /** Registers the channel, whose auto-read is on. */
        public AutoRead() {
            LOOP.register(channel).syncUninterruptibly();
        }

        /** One thread. */
        @Actor
        public void off() {
            channel.config().setAutoRead(false);
        }

        /** Another one. */
        @Actor
        public void offAndOn() {
            channel.config().setAutoRead(false);
            channel.config().setAutoRead(true);
        }

        /** The end, after the tasks. */
        @Arbiter
        public void end(ZZ_Result r) {
            channel.eventLoop().submit(() -> {
                r.r1 = channel.config().isAutoRead();
                r.r2 = channel.interest.contains(READ);
            }).syncUninterruptibly();
            channel.close().syncUninterruptibly();
            pair.get(1).socket.closeQuietly();
        }
    }
}
