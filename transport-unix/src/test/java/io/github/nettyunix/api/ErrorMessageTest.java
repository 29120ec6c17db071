package io.github.nettyunix.api;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Every exception names the operation, the socket type, the address and the errno. */
@Tag("library")
@ExtendWith(LeakCheckExtension.class)
class ErrorMessageTest {
    @TempDir
    private Path folder;

    private static void assertError(Throwable cause, String operation, SocketType type, SocketAddress address,
            String errno) {
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, cause);
        assertEquals(operation, error.operation());
        assertEquals(type, error.socketType());
        assertEquals(address, error.address());
        assertEquals(errno, error.errnoName());
        assertTrue(error.errno() > 0);
        String name = address == null || address.equals(UnixSocketAddress.unnamed()) ? "" : " " + address;
        assertTrue(cause.getMessage().startsWith(operation + " " + type + name + ": " + errno + " ("),
                cause.getMessage());
    }

    @EachType
    void connect(SocketType type) throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("missing"));
        assertError(ChannelPair.failure(Channels.client(type, new RecordingHandler()).connect(address)), "connect",
                type, address,
                "ENOENT");
    }

    @EachType
    void bind(SocketType type) throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("missing").resolve("socket"));
        Channel channel = Channels.register(Channels.newBindable(type));
        assertError(ChannelPair.failure(channel.bind(address)), "bind", type, address, "ENOENT");
        channel.close().sync();
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void write(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            int size = 16 << 20;
            Throwable cause = ChannelPair.failure(pair.sender.writeAndFlush(Unpooled.buffer(size).writeZero(size)));
            assertError(cause, "write", type, UnixSocketAddress.unnamed(), "EMSGSIZE");
            assertTrue(cause.getMessage().contains("" + size), cause.getMessage());
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void read(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.MAX_MESSAGE_SIZE, 4).start()) {
            pair.send("12345");
            assertError(pair.inbox.take(MessageTruncatedException.class), "read", type, UnixSocketAddress.unnamed(),
                    "EMSGSIZE");
        }
    }

    @EachType
    void closedPeer(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            pair.receiver.close().sync();
            Throwable cause = ChannelPair.failure(pair.send("too late"));
            if (cause instanceof UnixSocketError error) {
                assertError(cause, "write", type, UnixSocketAddress.unnamed(), error.errnoName());
            } else {
                // The channel noticed it before the write.
                assertInstanceOf(ClosedChannelException.class, cause);
            }
        }
    }

    @EachType
    void option(SocketType type) throws Exception {
        Channel channel = Channels.newClient(type);
        Channels.register(channel).close().sync();
        ByteBuffer raw = ByteBuffer.allocate(4);
        for (Map.Entry<String, Executable> each : Map.<String, Executable>of(
                "getsockopt SO_SNDBUF", () -> channel.config().getOption(ChannelOption.SO_SNDBUF),
                "setsockopt SO_RCVBUF", () -> channel.config().setOption(ChannelOption.SO_RCVBUF, 5000),
                "setsockopt SO_PASSRIGHTS", () -> channel.config().setOption(UnixSocketOption.SO_PASSRIGHTS, true),
                "getsockopt INTEGER", () -> channel.config().getOption(new IntegerUnixChannelOption("INTEGER", 1, 7)),
                "setsockopt INTEGER", () -> channel.config()
                .setOption(new IntegerUnixChannelOption("INTEGER", 1, 7), 1),
                "getsockopt RAW", () -> channel.config().getOption(new RawUnixChannelOption("RAW", 1, 7, 4)),
                "setsockopt RAW", () -> channel.config().setOption(new RawUnixChannelOption("RAW", 1, 7, 4), raw))
                .entrySet()) {
            assertError(assertThrows(ChannelException.class, each.getValue()), each.getKey(), type, null, "EBADF");
        }
    }

    @EachType
    void optionThatTheKernelDoesNotKnow(SocketType type) throws Exception {
        Channel channel = Channels.newClient(type);
        IntegerUnixChannelOption unknown = new IntegerUnixChannelOption("UNKNOWN", 1, 9999);
        assertError(assertThrows(ChannelException.class, () -> channel.config().setOption(unknown, 1)),
                "setsockopt UNKNOWN", type,
                null, "ENOPROTOOPT");
        Channels.register(channel).close().sync();
    }
}
