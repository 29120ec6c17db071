package io.github.nettyunix.bind;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.endpoint.SocketFile;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A server takes the place of another, and every client finds one of them. */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class SocketFileReplaceTest {
    private static final int REPLACEMENTS = Integer.getInteger("replace.rounds", 30);
    private static final SocketFilePolicy POLICY = SocketFilePolicy.replaceAtomically().withMode("rw-------");

    @TempDir
    private Path folder;

    private Path path() {
        return folder.resolve("s");
    }

    private static Channel serve(SocketType type, Path path) throws InterruptedException {
        return Channels.server(type, ChannelInboundHandlerAdapter::new).option(UnixSocketOption.SOCKET_FILE, POLICY)
                .bind(UnixSocketAddress.of(path)).sync().channel();
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    /** Another process connects all the time; a single connect that fails is enough to fail the test. */
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void everyClientFindsTheOldServerOrTheNewOne(SocketType type) throws Exception {
        Channel older = serve(type, path());
        Channel old = serve(type, path());
        String script = """
                import select
                print("ready")
                connects, failures = 0, collections.Counter()
                while not select.select([0], [], [], 0)[0]:
                    for i in range(20):
                        sock = socket.socket(socket.AF_UNIX, TYPES[sys.argv[1]])
                        failures[errno.errorcode.get(sock.connect_ex(sys.argv[2]), "found")] += 1
                        sock.close()
                    connects += 20
                print(connects >= 20, dict(failures) == {"found": connects} or dict(failures))
                """;
        try (Python client = Python.run(script, type, path())) {
            client.expect("ready");
            for (int i = 0; i < REPLACEMENTS; i++) {
                Channel next = serve(type, path());
                assertEquals(List.of("s"), files());
                assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path())));
                // A client may have looked up the old server and not reached it yet, so it closes one replacement
                // later.
                older.close().sync();
                older = old;
                assertTrue(Files.exists(path()));
                old = next;
            }
            client.say("");
            client.expect("True True");
            client.succeed();
        }
        older.close().sync();
        old.close().sync();
        assertEquals(List.of(), files());
        Evidence.of("CPython", "every client finds the old " + type + " server or the one that replaces it");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void addressIsTheRequestedOne(SocketType type) throws Exception {
        RawSocket.stale(type, path());
        RecordingHandler inbox = new RecordingHandler();
        Channel server = Channels.server(type, () -> inbox).option(UnixSocketOption.SOCKET_FILE, POLICY)
                .bind(UnixSocketAddress.of(path())).sync().channel();
        assertEquals(UnixSocketAddress.of(path()), server.localAddress());
        Channel client = Channels.client(type, new RecordingHandler()).connect(UnixSocketAddress.of(path())).sync()
                .channel();
        assertEquals(UnixSocketAddress.of(path()), client.remoteAddress());
        assertEquals(UnixSocketAddress.of(path()), inbox.channel().localAddress());
        client.close().sync();
        inbox.channel().closeFuture().sync();
        server.close().sync();
        assertEquals(List.of(), files());
    }

    @Test
    void temporaryNameThatACrashHasLeftIsUsedAgainAndThatOfALiveServerIsNot() throws Exception {
        RawSocket.stale(SocketType.STREAM, folder.resolve(".s.0"));
        Channel server = serve(SocketType.STREAM, path());
        assertEquals(List.of("s"), files());
        try (RawSocket another = RawSocket.bound(SocketType.STREAM, folder.resolve(".s.0"))) {
            Files.writeString(folder.resolve(".s.1"), "precious");
            Channel next = serve(SocketType.STREAM, path());
            assertEquals(List.of(".s.0", ".s.1", "s"), files());
            assertEquals("precious", Files.readString(folder.resolve(".s.1")));
            assertTrue(another.fd().isOpen());
            next.close().sync();
        }
        server.close().sync();
        assertEquals(List.of(".s.0", ".s.1"), files());
    }

    @Test
    void otherFilesAreKeptEvenIfTheyAppearAtTheLastMoment() throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(path());
        Files.writeString(path(), "precious");
        String inUse = "bind stream " + path()
                + ": EADDRINUSE (Address already in use): there is a file that is no socket";
        Channel refused = Channels.register(new UnixServerStreamChannel());
        refused.config().setOption(UnixSocketOption.SOCKET_FILE, POLICY);
        assertEquals(inUse, ChannelPair.failure(refused.bind(address)).getMessage());
        refused.close().sync();
        assertEquals(List.of("s"), files());
        Files.delete(path());

        UnixServerStreamChannel late = new UnixServerStreamChannel();
        SocketFile file = SocketFile.bind(SocketType.STREAM, ((ChannelCore) late.unsafe()).socket(), address, POLICY,
                true, () -> { });
        Files.writeString(path(), "precious");
        assertEquals(inUse, assertThrows(IOException.class, file::publish).getMessage());
        assertEquals("precious", Files.readString(path()));
        assertEquals(List.of(".s.0", "s"), files());
        file.remove();
        Channels.register(late).close().sync();
        assertEquals(List.of("s"), files());
        Evidence.of("itself", "replaceAtomically leaves a file alone that is no socket");
    }

    @Test
    void longPathCanBeReplacedToo() throws Exception {
        Path deep = folder.resolve("d".repeat(100));
        Files.createDirectory(deep);
        Channel old = serve(SocketType.STREAM, deep.resolve("s"));
        Channel next = serve(SocketType.STREAM, deep.resolve("s"));
        old.close().sync();
        ChannelFuture client = Channels.client(SocketType.STREAM, new RecordingHandler())
                .connect(UnixSocketAddress.of(deep.resolve("s"))).sync();
        client.channel().close().sync();
        next.close().sync();
        assertFalse(Files.exists(deep.resolve("s")));
    }

    @Test
    void onlyServersCanReplaceAtomically() throws Exception {
        Channel datagram = Channels.register(new UnixDatagramChannel());
        datagram.config().setOption(UnixSocketOption.SOCKET_FILE, POLICY);
        UnixSocketError error = assertInstanceOf(UnixSocketError.class,
                ChannelPair.failure(datagram.bind(UnixSocketAddress.of(path()))));
        assertEquals("EOPNOTSUPP", error.errnoName().replace("ENOTSUP", "EOPNOTSUPP"));
        datagram.close().sync();
        assertEquals(List.of(), files());
    }

    @Test
    void keptFileStaysAndNoTemporaryFileIsLeft() throws Exception {
        Channel server = Channels.register(new UnixServerStreamChannel());
        server.config().setOption(UnixSocketOption.SOCKET_FILE, POLICY.keepOnClose());
        server.bind(UnixSocketAddress.of(path())).sync();
        server.close().sync();
        assertEquals(List.of("s"), files());
    }
}
