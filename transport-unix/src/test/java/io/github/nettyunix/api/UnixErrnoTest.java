package io.github.nettyunix.api;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Errors as constants, whatever their numbers are. */
class UnixErrnoTest {
    @TempDir
    private Path folder;

    private static UnixErrno errorOf(Throwable cause) {
        return assertInstanceOf(UnixSocketError.class, cause).error();
    }

    @Test
    void errorsOfChannelsAreConstants() throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("app.sock"));
        var client = Channels.client(SocketType.STREAM, new ChannelInboundHandlerAdapter());
        assertEquals(UnixErrno.ENOENT, errorOf(ChannelPair.failure(client.connect(address))));
        var server = Channels.server(SocketType.STREAM, ChannelInboundHandlerAdapter::new);
        Channel live = server.bind(address).sync().channel();
        assertEquals(UnixErrno.EADDRINUSE, errorOf(ChannelPair.failure(server.bind(address))));
        live.close().sync();
    }

    @Test
    @Tag("once")
    void everyConstantIsAnErrorOfThePlatform() {
        UnixTransport.ensureAvailability();
        Set<UnixErrno> missing = EnumSet.complementOf(EnumSet.of(UnixErrno.OTHER));
        for (int errno = 1; errno < 200; errno++) {
            String name = Errno.name(errno);
            if (name != null) {
                UnixErrno error = new TestError(errno, name).error();
                assertTrue(error == UnixErrno.OTHER || missing.remove(error), name);
            }
        }
        assertEquals(Set.of(), missing);
    }

    @Test
    @Tag("once")
    void errorWithoutAConstantKeepsItsNumberAndItsName() {
        assertEquals(UnixErrno.OTHER, new TestError(4711, "errno 4711").error());
        assertEquals(UnixErrno.OTHER, new TestError(33, "EDOM").error());
        assertEquals(UnixErrno.EOPNOTSUPP, new TestError(45, "ENOTSUP").error());
        assertEquals(UnixErrno.EOPNOTSUPP, new TestError(102, "EOPNOTSUPP").error());
    }
}
