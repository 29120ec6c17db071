package io.github.nettyunix.datagram;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.ChannelHandlerContext;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A datagram channel that is bound and connected in one call. */
class DatagramConnectTest {
    /** The events of the channel. */
    private static final class Life extends RecordingHandler {
        final List<String> events = new ArrayList<>();

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            events.add("active");
            super.channelActive(ctx);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            events.add("inactive");
            super.channelInactive(ctx);
        }
    }

    private static void connect(UnixSocketAddress remote, boolean succeeds) throws Exception {
        Life life = new Life();
        var future = Channels.client(SocketType.DATAGRAM, life).connect(remote, UnixSocketAddress.autobind());
        assertEquals(succeeds, future.await().isSuccess());
        if (succeeds) {
            assertTrue(future.channel().isActive());
            future.channel().close();
        }
        assertSame(RecordingHandler.INACTIVE, life.take());
        assertFalse(future.channel().isOpen());
        assertEquals(List.of("active", "inactive"), life.events);
    }

    @Test
    void itBecomesActiveOnceWhetherOrNotItIsConnected() throws Exception {
        Descriptors before = Descriptors.now();
        var server = Channels.client(SocketType.DATAGRAM, new RecordingHandler()).bind(UnixSocketAddress.autobind())
                .sync()
                .channel();
        connect((UnixSocketAddress) server.localAddress(), true);
        server.close().sync();
        connect((UnixSocketAddress) server.localAddress(), false);
        before.assertUnchanged();
        Evidence.of("itself", "a datagram channel bound and connected in one call becomes active once");
    }
}
