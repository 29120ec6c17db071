package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoopGroup;
import org.junit.jupiter.api.Test;

import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** What macOS needs; nobody else waits. */
class SentDescriptorsTest {
    @Test
    void aDuplicateStaysOpenForAWhile() throws Exception {
        Descriptors before = Descriptors.now();
        UnixMessage message = new UnixMessage(Unpooled.EMPTY_BUFFER, Descriptors.some(2));
        int open = Descriptors.open().size();
        SentDescriptors.keep(Loops.group().next(), message, 200);
        assertEquals(open + 2, Descriptors.open().size());
        message.release();
        before.assertUnchanged();
    }

    @Test
    void aLoopThatShutsDownClosesIt() throws Exception {
        Descriptors before = Descriptors.now();
        EventLoopGroup group = Loops.newGroup(1);
        UnixFileDescriptor fd = Descriptors.some(1)[0];
        SentDescriptors.keep(group.next(), fd, TimeUnit.DAYS.toMillis(1));
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        SentDescriptors.keep(group.next(), fd, TimeUnit.DAYS.toMillis(1));
        fd.close();
        before.assertUnchanged();
    }
}
