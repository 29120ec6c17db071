package io.github.nettyunix.address;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.FileNotFoundException;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** On Linux, a path may be longer than {@code sun_path}; how that works is invisible. */
@Tag("library")
@Tag("user")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class LongPathTest {
    @TempDir
    private Path folder;

    /** Returns a path of exactly this length whose last component is short. */
    private Path path(int length) throws Exception {
        Path directory = folder;
        for (int left; (left = length - directory.toString().length()) > 40;) {
            directory = directory.resolve("d".repeat(Math.min(left - 20, 200)));
        }
        Files.createDirectories(directory);
        return directory.resolve("s".repeat(length - directory.toString().length() - 1));
    }

    @EachRow({"STREAM, 107", "STREAM, 108", "STREAM, 200", "STREAM, 4000", "SEQPACKET, 107", "SEQPACKET, 108",
        "SEQPACKET, 200", "SEQPACKET, 4000"})
    void serversAndClientsUseLongPathsAndShowThemAsTheyAre(SocketType type, int length) throws Exception {
        Path path = path(length);
        UnixSocketAddress address = UnixSocketAddress.of(path);
        assertEquals(length, address.bytes().length);
        CompletableFuture<Channel> accepted = new CompletableFuture<>();
        Channel server = Channels.server(type, () -> new RecordingHandler() {
            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                accepted.complete(ctx.channel());
            }
        }).bind(address).sync().channel();
        Channel client = Channels.client(type, new RecordingHandler()).connect(address).sync().channel();
        Channel child = accepted.get(10, TimeUnit.SECONDS);
        assertEquals(address, server.localAddress());
        assertEquals(address, client.remoteAddress());
        assertEquals(address, child.localAddress());
        assertEquals(UnixSocketAddress.unnamed(), child.remoteAddress());
        child.close().sync();
        client.close().sync();
        assertTrue(Files.exists(path));
        server.close().sync();
        assertFalse(Files.exists(path));
        Evidence.of("itself", "a " + type + " server at a path of " + length + " bytes is reached and shows it");
    }

    /** CPython uses short paths, relative to its working directory. */
    @EachRow({"STREAM, 200", "STREAM, 4000", "SEQPACKET, 200", "SEQPACKET, 4000"})
    void cPythonIsMetAtLongPathsInBothRoles(SocketType type, int length) throws Exception {
        Path path = path(length);
        Path other = path.resolveSibling("other");
        RecordingHandler inbox = new RecordingHandler();
        Channel server = Channels.server(type, () -> inbox).bind(UnixSocketAddress.of(path)).sync().channel();
        String script = """
                kind = TYPES[sys.argv[1]]
                os.chdir(sys.argv[2])
                server = socket.socket(socket.AF_UNIX, kind)
                server.bind("other")
                server.listen()
                client = socket.socket(socket.AF_UNIX, kind)
                client.connect(sys.argv[3])
                client.send(b"to the channel")
                guest = server.accept()[0]
                print(guest.recv(100).decode())
                wait_for_end()
                """;
        try (Python python = Python.run(script, type, path.getParent(), path.getFileName())) {
            assertEquals("to the channel", ChannelPair.text(inbox.take()));
            Channel client = Channels.client(type, new RecordingHandler()).connect(UnixSocketAddress.of(other)).sync()
                    .channel();
            client.writeAndFlush(ChannelPair.buffer("to CPython")).sync();
            python.expect("to CPython");
            client.close().sync();
            inbox.channel().close().sync();
            server.close().sync();
            python.succeed();
        }
        Evidence.of("CPython", type + " servers and clients at paths of " + length + " bytes");
    }

    @ParameterizedTest
    @ValueSource(ints = {108, 200, 4000})
    void datagramChannelsAreConnectedToLongPaths(int length) throws Exception {
        Path path = path(length);
        UnixSocketAddress address = UnixSocketAddress.of(path);
        String script = """
                os.chdir(sys.argv[1])
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                sock.bind(sys.argv[2])
                print("bound")
                print(sock.recv(100).decode())
                """;
        try (Python python = Python.run(script, path.getParent(), path.getFileName())) {
            python.expect("bound");
            Channel channel = Channels.client(SocketType.DATAGRAM, new RecordingHandler()).connect(address).sync()
                    .channel();
            assertEquals(address, channel.remoteAddress());
            channel.writeAndFlush(ChannelPair.buffer("to CPython")).sync();
            python.expect("to CPython");
            channel.close().sync();
            python.succeed();
        }
        Evidence.of("CPython", "a datagram channel connects to a path of " + length + " bytes");
    }

    @EachRow({"STREAM", "SEQPACKET"})
    void longPathsAreBoundAsSafelyAsOthers(SocketType type) throws Exception {
        Path path = path(300);
        UnixSocketAddress address = UnixSocketAddress.of(path);
        Channel server = Channels.server(type, RecordingHandler::new).bind(address).sync().channel();
        BindException live = assertInstanceOf(BindException.class,
                ChannelPair.failure(Channels.server(type, RecordingHandler::new).bind(address)));
        assertEquals("bind " + type + ' ' + path + ": EADDRINUSE (Address already in use): there is a live socket",
                live.getMessage());
        assertTrue(Files.exists(path));
        server.close().sync();

        Files.createFile(path);
        ChannelPair.failure(Channels.server(type, RecordingHandler::new).bind(address));
        assertTrue(Files.isRegularFile(path));
        Files.delete(path);

        // A name relative to the folder, so that the stale socket is made without the transport.
        Path link = Files.createSymbolicLink(folder.resolve("link"), path.getParent());
        RawSocket.stale(type, link.resolve(path.getFileName()));
        Channels.server(type, RecordingHandler::new).option(UnixSocketOption.SOCKET_FILE,
                SocketFilePolicy.replaceStale().withMode("rw-------")).bind(address).sync().channel().close().sync();
        assertFalse(Files.exists(path));
    }

    @Test
    void pathsThatNoFileCanHaveAreRefused() throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of("/tmp" + "/d".repeat(2100));
        Throwable refused = ChannelPair.failure(Channels.server(SocketType.STREAM, RecordingHandler::new)
                .bind(address));
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, refused);
        assertEquals("ENAMETOOLONG", error.errnoName());
        assertEquals(address, error.address());
    }

    @Test
    void missingFolderOfALongPathIsNamed() throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder.resolve("m".repeat(200)).resolve("s"));
        Throwable bind = ChannelPair.failure(Channels.server(SocketType.STREAM, RecordingHandler::new).bind(address));
        assertEquals("bind stream " + address + ": ENOENT (No such file or directory)", bind.getMessage());
        Throwable connect = ChannelPair.failure(Channels.client(SocketType.STREAM, new RecordingHandler())
                .connect(address));
        assertInstanceOf(FileNotFoundException.class, connect);
        assertEquals("connect stream " + address + ": ENOENT (No such file or directory)", connect.getMessage());
    }
}
