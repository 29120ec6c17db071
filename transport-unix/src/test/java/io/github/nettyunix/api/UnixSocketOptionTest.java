package io.github.nettyunix.api;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.DuplexChannelConfig;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import io.netty.channel.unix.UnixChannelOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

@Tag("library")
@Tag("user")
class UnixSocketOptionTest {
    @EachType
    void defaultsAreTheSafeOnes(SocketType type) {
        with(type, channel -> {
            assertEquals(false, channel.config().getOption(UnixSocketOption.RECEIVE_CONTROL_DATA));
            assertEquals(253, channel.config().getOption(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE));
            assertEquals(false, channel.config().getOption(UnixSocketOption.SO_PASSCRED));
            assertEquals(SocketFilePolicy.replaceStale(), channel.config().getOption(UnixSocketOption.SOCKET_FILE));
        });
    }

    @EachType
    void whatWasSetIsRead(SocketType type) {
        with(type, channel -> {
            set(channel, UnixSocketOption.RECEIVE_CONTROL_DATA, true);
            set(channel, UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 0);
            set(channel, UnixSocketOption.SOCKET_FILE, SocketFilePolicy.takeOver().withMode("rw-------"));
            set(channel, ChannelOption.AUTO_READ, false);
            set(channel, ChannelOption.WRITE_SPIN_COUNT, 3);
            channel.config().setOption(ChannelOption.SO_SNDBUF, 100_000);
            assertTrue(channel.config().getOption(ChannelOption.SO_SNDBUF) >= 100_000);
            channel.config().getOptions().forEach((option, value) ->
                    assertEquals(value, channel.config().getOption(option), option.name()));
        });
    }

    @Test
    void optionsOfOneTypeOnly() {
        with(SocketType.STREAM, channel -> {
            set(channel, UnixChannelOption.DOMAIN_SOCKET_READ_MODE, DomainSocketReadMode.FILE_DESCRIPTORS);
            set(channel, ChannelOption.ALLOW_HALF_CLOSURE, true);
            assertFalse(channel.config().setOption(UnixSocketOption.MAX_MESSAGE_SIZE, 1));
        });
        with(SocketType.DATAGRAM, channel -> {
            set(channel, UnixSocketOption.DATAGRAM_QUEUE_FULL, DatagramQueueFull.DROP);
            set(channel, UnixSocketOption.MAX_MESSAGE_SIZE, 1_000_000);
            assertFalse(channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true));
        });
        UnixServerStreamChannel server = new UnixServerStreamChannel();
        set(server, ChannelOption.SO_BACKLOG, 7);
        assertFalse(server.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true));
        ChannelConfig config = server.config();
        assertFalse(config instanceof DuplexChannelConfig);
        server.unsafe().closeForcibly();
    }

    @Test
    void valuesOutOfRangeAreRefused() {
        with(SocketType.DATAGRAM, channel -> {
            for (int count : new int[] {-1, 254}) {
                assertThrows(IllegalArgumentException.class,
                        () -> channel.config().setOption(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, count));
            }
            assertThrows(IllegalArgumentException.class,
                    () -> channel.config().setOption(UnixSocketOption.MAX_MESSAGE_SIZE, 0));
            assertThrows(IllegalArgumentException.class,
                    () -> channel.config().setOption(UnixSocketOption.DATAGRAM_WAIT_MILLIS, -1));
        });
        assertThrows(IllegalArgumentException.class, () -> SocketFilePolicy.replaceStale().withMode("0999"));
    }

    @EachType
    void optionsOfOtherSocketsAreAcceptedAndHaveNoEffect(SocketType type) throws Exception {
        Channel channel = Channels.newClient(type);
        for (ChannelOption<Boolean> option : List.of(ChannelOption.SO_KEEPALIVE, ChannelOption.SO_REUSEADDR,
                ChannelOption.TCP_NODELAY,
                ChannelOption.SO_BROADCAST, UnixChannelOption.SO_REUSEPORT, EpollChannelOption.TCP_CORK)) {
            assertTrue(channel.config().setOption(option, true));
            assertNull(channel.config().getOption(option));
        }
        for (ChannelOption<Integer> option : List.of(ChannelOption.SO_LINGER, ChannelOption.IP_TOS,
                EpollChannelOption.TCP_USER_TIMEOUT)) {
            assertTrue(channel.config().setOption(option, 5));
            assertNull(channel.config().getOption(option));
        }
        assertThrows(NullPointerException.class, () -> channel.config().setOption(ChannelOption.SO_LINGER, null));
        assertFalse(channel.config().setOption(ChannelOption.valueOf("OF_NOBODY"), true));
        Channels.register(channel).close().sync();
    }

    @Test
    void optionsWithoutAConstantCanBeSetByNumber() {
        int solSocket = 1;
        int soPriority = 12;
        with(SocketType.STREAM, channel -> {
            set(channel, new IntegerUnixChannelOption("SO_PRIORITY", solSocket, soPriority), 3);
            ByteBuffer raw = channel.config().getOption(new RawUnixChannelOption("SO_PRIORITY_RAW", solSocket,
                    soPriority, 4));
            assertEquals(3, raw.order(ByteOrder.nativeOrder()).getInt());
        });
    }

    private static <T> void set(Channel channel, ChannelOption<T> option, T value) {
        assertTrue(channel.config().setOption(option, value), option.name());
        assertEquals(value, channel.config().getOption(option), option.name());
    }

    private interface Use {
        void of(Channel channel);
    }

    private static void with(SocketType type, Use use) {
        var pair = Channels.pair(type);
        try {
            use.of(pair.get(0));
        } finally {
            pair.forEach(channel -> channel.unsafe().closeForcibly());
        }
    }
}
