package io.github.nettyunix.netty;

import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.testsuite.transport.AbstractSingleThreadEventLoopTest;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.concurrent.Executor;

/** Netty's tests of what event loops do with channels. */
@ExtendWith(Conformance.class)
class EventLoopTest extends AbstractSingleThreadEventLoopTest {
    @Override
    protected EventLoopGroup newEventLoopGroup() {
        return Loops.newGroup(1);
    }

    @Override
    protected EventLoopGroup newAutoScalingEventLoopGroup() {
        return new MultiThreadIoEventLoopGroup(SCALING_MAX_THREADS, (Executor) null, AUTO_SCALING_CHOOSER_FACTORY,
                Loops.newIoHandlerFactory());
    }

    @Override
    protected Channel newChannel() {
        return new UnixStreamChannel();
    }

    @Override
    protected Class<? extends ServerChannel> serverChannelClass() {
        return UnixServerStreamChannel.class;
    }
}
