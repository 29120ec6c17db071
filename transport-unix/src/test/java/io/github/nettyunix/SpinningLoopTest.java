package io.github.nettyunix;

import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.NothingLeft;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;

@Tag("once")
@ExtendWith(NothingLeft.class)
class SpinningLoopTest {
    @EachType
    void channelsOnLoopsThatSpinCarryMessages(SocketType type) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newSpinningIoHandlerFactory());
        try {
            var pair = Channels.pair(type);
            Inbox inbox = new Inbox();
            pair.get(1).pipeline().addLast(inbox);
            for (Channel channel : pair) {
                group.register(channel).sync();
            }
            for (int i = 0; i < 100; i++) {
                pair.get(0).writeAndFlush(Unpooled.copyInt(i)).sync();
                Object message = inbox.take();
                ByteBuf content = message instanceof ByteBufHolder holder ? holder.content() : (ByteBuf) message;
                assertEquals(i, content.readInt());
                content.release();
            }
        } finally {
            group.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).sync();
        }
    }

    @Test
    void loopThatSpinsRunsTasksOfOtherThreadsAndTimers() throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newSpinningIoHandlerFactory());
        try {
            assertEquals("task", group.submit(() -> "task").get(10, TimeUnit.SECONDS));
            assertEquals("timer", group.schedule(() -> "timer", 5, TimeUnit.MILLISECONDS).get(10, TimeUnit.SECONDS));
        } finally {
            group.shutdownGracefully(100, 5000, TimeUnit.MILLISECONDS).sync();
        }
    }
}
