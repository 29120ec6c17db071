package io.github.nettyunix.frameworks.grpc;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ServerConnectionTest {
    private final ServerConnection connection = new ServerConnection(null, 3);
    private final EmbeddedChannel channel = new EmbeddedChannel(connection);

    @AfterEach
    void close() {
        assertFalse(channel.finish());
    }

    /** Returns the descriptor, whose only owner is the connection. */
    private UnixFileDescriptor receive() throws IOException {
        UnixFileDescriptor fd = UnixFileDescriptor.eventFd(0, false);
        channel.writeInbound(new UnixMessage(Unpooled.copyInt(1), fd));
        assertTrue(channel.<ByteBuf>readInbound().release());
        return fd;
    }

    @Test
    void descriptorsAreTakenByNumberInAnyOrder() throws Exception {
        List<UnixFileDescriptor> fds = List.of(receive(), receive(), receive());
        assertEquals(List.of(fds.get(2)), connection.take(new DescriptorRange(2, 1)));
        assertEquals(fds.subList(0, 2), connection.take(new DescriptorRange(0, 2)));
        assertNull(connection.take(new DescriptorRange(0, 1)), "taken already");
        assertNull(connection.take(new DescriptorRange(3, 1)), "not there yet");
        UnixFileDescriptor fourth = receive();
        assertNull(connection.take(new DescriptorRange(3, 2)), "only one of them is there");
        assertEquals(List.of(fourth), connection.take(new DescriptorRange(3, 1)));
        fds.forEach(UnixFileDescriptor::release);
        fourth.release();
    }

    @Test
    void theOldestAreClosedBeyondTheLimit() throws Exception {
        List<UnixFileDescriptor> fds = List.of(receive(), receive(), receive(), receive());
        assertFalse(fds.get(0).isOpen());
        assertTrue(fds.get(1).isOpen());
        channel.close();
        assertFalse(fds.get(3).isOpen(), "closed with the connection");
    }

    @Test
    void thoseThatNobodyTakesAreClosedAfterAMinute() throws Exception {
        channel.freezeTime();
        UnixFileDescriptor first = receive();
        channel.advanceTimeBy(50, TimeUnit.SECONDS);
        UnixFileDescriptor second = receive();
        channel.runScheduledPendingTasks();
        assertTrue(first.isOpen());
        channel.advanceTimeBy(10, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertFalse(first.isOpen());
        assertTrue(second.isOpen());
        channel.advanceTimeBy(60, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertFalse(second.isOpen());
        channel.advanceTimeBy(60, TimeUnit.SECONDS);
        assertEquals(-1, channel.runScheduledPendingTasks(), "a timer is left");
    }
}
