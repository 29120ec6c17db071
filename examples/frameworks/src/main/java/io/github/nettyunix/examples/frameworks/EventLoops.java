package io.github.nettyunix.examples.frameworks;

import io.github.nettyunix.UnixTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;

/** The event loops that all examples run on. */
public final class EventLoops {
    private EventLoops() {
    }

    public static EventLoopGroup newGroup() {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory());
        return group;
    }
}
