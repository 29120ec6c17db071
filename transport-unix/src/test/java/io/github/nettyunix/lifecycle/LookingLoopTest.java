package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;

import java.time.Duration;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Loops that look for events before they sleep do what spinning ones do, and cost nothing while they are idle. */
class LookingLoopTest extends SpinningLoopTest {
    @Override
    EventLoopGroup newGroup() {
        return new MultiThreadIoEventLoopGroup(1, Loops.newSpinningIoHandlerFactory(Duration.ofMillis(1)));
    }

    @EachType
    void idleLoopSleepsUntilSomethingArrives(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start(group)) {
            for (int i = 0; i < 3; i++) {
                LoopCpu.assertIdle(pair.receiver.eventLoop());
                pair.send("message " + i);
                assertEquals("message " + i, pair.text());
            }
        }
        Evidence.of("itself", type + " channels on loops that look for events before they sleep");
    }
}
