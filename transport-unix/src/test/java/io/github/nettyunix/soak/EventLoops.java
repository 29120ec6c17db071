package io.github.nettyunix.soak;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.EventLoopGroup;

import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Event loops that start, carry messages of every type and end; their threads, selectors and batches end with them. */
final class EventLoops implements Run {
    @Override
    public String run(int count) throws Exception {
        for (int i = 0; i < count; i++) {
            EventLoopGroup group = Loops.newGroup(1);
            use(group);
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS).sync();
        }
        return count + " started and ended";
    }

    /** Carries messages of every type, so that what a loop needs for them is allocated. */
    static void use(EventLoopGroup group) throws Exception {
        for (SocketType type : SocketType.values()) {
            if (UnixTransport.supports(type)) {
                exchange(type, group);
            }
        }
    }

    private static void exchange(SocketType type, EventLoopGroup group) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(group)) {
            // More than one are sent as a batch.
            for (int i = 0; i < 2; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("message " + i), Content.labelled("file")));
            }
            pair.sender.flush();
            for (int i = 0; i < 2; i++) {
                assertEquals("message " + i, pair.text());
            }
        }
    }
}
