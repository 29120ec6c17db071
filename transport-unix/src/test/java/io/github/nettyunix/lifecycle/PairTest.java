package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import org.junit.jupiter.api.Tag;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

@Tag("user")
class PairTest {
    @EachType
    void bytesTravelBothWaysBetweenTheEndsOfAPair(SocketType type) throws Exception {
        Descriptors before = Descriptors.now();
        var pair = Channels.pair(type);
        RecordingHandler[] inboxes = {new RecordingHandler(), new RecordingHandler()};
        Channel[] ends = {Channels.register(pair.get(0), inboxes[0]), Channels.register(pair.get(1), inboxes[1])};
        for (int i = 0; i < 2; i++) {
            assertTrue(ends[i].isActive());
            assertEquals(UnixSocketAddress.unnamed(), ends[i].remoteAddress());
            byte[] sent = {1, 2, (byte) i};
            ends[i].writeAndFlush(Unpooled.copiedBuffer(sent)).sync();
            Object message = inboxes[1 - i].take();
            ByteBuf content = message instanceof ByteBufHolder ? ((ByteBufHolder) message).content()
                    : (ByteBuf) message;
            assertArrayEquals(sent, ByteBufUtil.getBytes(content));
            content.release();
        }
        for (Channel end : ends) {
            end.close().sync();
        }
        before.assertUnchanged();
        Evidence.of("itself", "a pair of " + type + " channels carries bytes both ways");
    }
}
