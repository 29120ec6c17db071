package io.github.nettyunix.connect;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.FileNotFoundException;
import java.net.BindException;
import java.net.ConnectException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Exceptions for paths that cannot be bound or connected to: the types that code for Netty catches, with messages like
 * Go's.
 */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class ConnectErrorTest {
    @TempDir
    private Path folder;

    private static void assertError(Class<? extends Exception> expected, ChannelFuture future, String operation,
                                    SocketType type, Path path, String error) throws InterruptedException {
        Throwable cause = ChannelPair.failure(future);
        assertInstanceOf(expected, cause);
        assertEquals(operation + ' ' + type + ' ' + path + ": " + error, cause.getMessage());
        UnixSocketError details = assertInstanceOf(UnixSocketError.class, cause);
        assertEquals(operation, details.operation());
        assertEquals(type, details.socketType());
        assertEquals(UnixSocketAddress.of(path), details.address());
        assertEquals(error.substring(0, error.indexOf(' ')), details.errnoName());
        assertTrue(details.errno() > 0);
    }

    /**
     * A connect that the kernel refuses closes the channel, as with Netty's channels, unless it needs no connection.
     */
    private static void assertFate(Channel channel, SocketType type) throws InterruptedException {
        if (type == SocketType.DATAGRAM) {
            assertTrue(channel.isOpen());
            channel.close().sync();
        } else {
            // Before the promise of the connect fails.
            assertTrue(!channel.isOpen() && channel.closeFuture().isDone());
        }
    }

    @EachType
    void missingPathIsNotFound(SocketType type) throws Exception {
        Path path = folder.resolve("missing");
        Channel channel = Channels.register(Channels.newClient(type));
        assertError(FileNotFoundException.class, channel.connect(UnixSocketAddress.of(path)), "connect", type, path,
                "ENOENT (No such file or directory)");
        assertFate(channel, type);
        Evidence.of("itself", "connect of a " + type + " channel to a missing path fails with FileNotFoundException");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void listenersOfAFailedConnectFindTheChannelClosed(SocketType type) throws Exception {
        Channel channel = Channels.register(Channels.newClient(type));
        ChannelPromise promise = channel.newPromise();
        CompletableFuture<Boolean> open = new CompletableFuture<>();
        promise.addListener(future -> open.complete(channel.isOpen()));
        channel.connect(UnixSocketAddress.of(folder.resolve("missing")), promise);
        assertFalse(open.get(10, TimeUnit.SECONDS));
        assertInstanceOf(FileNotFoundException.class, promise.cause());
    }

    @EachType
    void stalePathAndRegularFileRefuseTheConnection(SocketType type) throws Exception {
        for (Path path : new Path[] {RawSocket.stale(type, folder.resolve("stale")),
                Files.createFile(folder.resolve("file"))}) {
            Channel channel = Channels.register(Channels.newClient(type));
            assertError(ConnectException.class, channel.connect(UnixSocketAddress.of(path)), "connect", type, path,
                    "ECONNREFUSED (Connection refused)");
            assertFate(channel, type);
        }
        Evidence.of("itself", "connect of a " + type + " channel to a stale path fails with ConnectException");
    }

    @EachRow({"STREAM, SEQPACKET", "STREAM, DATAGRAM", "SEQPACKET, STREAM", "SEQPACKET, DATAGRAM", "DATAGRAM, STREAM",
        "DATAGRAM, SEQPACKET"})
    void socketOfAnotherTypeIsNamedAsSuch(SocketType type, SocketType other) throws Exception {
        Path path = folder.resolve("s");
        try (RawSocket server = RawSocket.bound(other, path)) {
            if (other != SocketType.DATAGRAM) {
                server.listen(1);
            }
            Channel channel = Channels.register(Channels.newClient(type));
            assertError(ConnectException.class, channel.connect(UnixSocketAddress.of(path)), "connect", type, path,
                    "EPROTOTYPE (Protocol wrong type for socket)");
            assertFate(channel, type);
        }
    }

    @EachType
    void bindNamesWhatIsWrongWithTheFolder(SocketType type) throws Exception {
        Channel channel = Channels.register(Channels.newBindable(type));
        Path missing = folder.resolve("missing/s");
        assertError(BindException.class, channel.bind(UnixSocketAddress.of(missing)), "bind", type, missing,
                "ENOENT (No such file or directory)");
        Path file = Files.createFile(folder.resolve("file")).resolve("s");
        assertError(BindException.class, channel.bind(UnixSocketAddress.of(file)), "bind", type, file,
                "ENOTDIR (Not a directory)");
        assertTrue(channel.isOpen());
        assertFalse(channel.isActive());
        channel.bind(UnixSocketAddress.of(folder.resolve("s"))).sync();
        channel.close().sync();
    }

    @EachType
    void secondBindAndSecondConnectAreRefusedAndHarmNothing(SocketType type) throws Exception {
        Path path = folder.resolve("s");
        Channel server = type == SocketType.DATAGRAM
                ? Channels.register(new UnixDatagramChannel(), new RecordingHandler())
                : Channels.server(type, RecordingHandler::new).register().sync().channel();
        server.bind(UnixSocketAddress.of(path)).sync();
        Path other = folder.resolve("other");
        assertError(BindException.class, server.bind(UnixSocketAddress.of(other)), "bind", type, other,
                "EINVAL (Invalid argument): the socket is bound already");
        assertFalse(Files.exists(other));
        Channel channel = Channels.register(Channels.newClient(type));
        channel.connect(UnixSocketAddress.of(path)).sync();
        assertInstanceOf(AlreadyConnectedException.class,
                ChannelPair.failure(channel.connect(UnixSocketAddress.of(path))));
        assertTrue(channel.isActive());
        channel.close().sync();
        assertEquals(UnixSocketAddress.of(path), server.localAddress());
        server.close().sync();
        assertFalse(Files.exists(path));
    }

    @EachRow({"STREAM", "SEQPACKET"})
    void failedBootstrapLeavesNothingOpen(SocketType type) throws Exception {
        Path path = folder.resolve("missing");
        assertError(FileNotFoundException.class,
                Channels.client(type, new RecordingHandler()).connect(UnixSocketAddress.of(path)),
                "connect", type, path, "ENOENT (No such file or directory)");
        Path server = folder.resolve("missing/s");
        assertError(BindException.class,
                Channels.server(type, RecordingHandler::new).bind(UnixSocketAddress.of(server)),
                "bind", type, server, "ENOENT (No such file or directory)");
        assertThrows(FileNotFoundException.class,
                () -> Channels.client(type, new RecordingHandler()).connect(UnixSocketAddress.of(path)).sync());
    }
}
