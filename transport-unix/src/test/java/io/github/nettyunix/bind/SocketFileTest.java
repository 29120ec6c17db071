package io.github.nettyunix.bind;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.github.nettyunix.testing.Types;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A bind never takes a path from a live server, and never deletes what is not a stale socket. */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class SocketFileTest {
    private static final List<SocketFilePolicy> POLICIES = List.of(SocketFilePolicy.replaceStale(),
            SocketFilePolicy.replaceStale().withMode("rw-------"), SocketFilePolicy.takeOver(),
            SocketFilePolicy.failIfExists());

    @TempDir
    private Path folder;

    private Path path() {
        return folder.resolve("s");
    }

    static Stream<Arguments> pairsOfTypes() {
        return Stream.of(SocketType.values()).flatMap(a -> Stream.of(SocketType.values())
                .filter(b -> Types.apply(a) && Types.apply(b)).map(b -> Arguments.of(a, b)));
    }

    private static Channel bindable(SocketType type, SocketFilePolicy policy) throws InterruptedException {
        Channel channel = Channels.newBindable(type);
        assertTrue(channel.config().setOption(UnixSocketOption.SOCKET_FILE, policy));
        channel.config().setAutoRead(false);
        return Channels.register(channel);
    }

    private Channel bind(SocketType type, SocketFilePolicy policy) throws InterruptedException {
        return bindable(type, policy).bind(UnixSocketAddress.of(path())).sync().channel();
    }

    /** Checks that this has changed nothing there, and that the channel can be bound elsewhere. */
    private void assertRefused(SocketType type, SocketFilePolicy policy, String hint) throws Exception {
        Object inode = Files.getAttribute(path(), "unix:ino", LinkOption.NOFOLLOW_LINKS);
        Object mode = Files.getAttribute(path(), "unix:mode", LinkOption.NOFOLLOW_LINKS);
        Channel channel = bindable(type, policy);
        ChannelFuture bind = channel.bind(UnixSocketAddress.of(path()));
        assertInstanceOf(BindException.class, ChannelPair.failure(bind), policy.toString());
        assertEquals("bind " + type + ' ' + path() + ": EADDRINUSE (Address already in use)" + hint,
                bind.cause().getMessage());
        assertEquals(inode, Files.getAttribute(path(), "unix:ino", LinkOption.NOFOLLOW_LINKS));
        assertEquals(mode, Files.getAttribute(path(), "unix:mode", LinkOption.NOFOLLOW_LINKS));
        channel.bind(UnixSocketAddress.of(folder.resolve("elsewhere"))).sync();
        channel.close().sync();
        assertTrue(Files.exists(path(), LinkOption.NOFOLLOW_LINKS));
    }

    @ParameterizedTest
    @MethodSource("pairsOfTypes")
    void pathOfALiveServerIsRefusedAndTheServerSeesNothing(SocketType type, SocketType live) throws Exception {
        try (RawSocket server = RawSocket.bound(live, path())) {
            // Not listening yet: a connect of the same type would take it for dead.
            assertRefused(type, SocketFilePolicy.replaceStale(), ": there is a live socket");
            if (live != SocketType.DATAGRAM) {
                server.listen(0);
                assertRefused(type, SocketFilePolicy.replaceStale(), ": there is a live socket");
                assertTrue(server.tryAccept() < 0, "the server saw a connection");
                try (RawSocket client = RawSocket.of(live); RawSocket waiting = RawSocket.of(live)) {
                    byte[] name = UnixSocketAddress.of(path()).bytes();
                    assertEquals(0, client.connect(name));
                    waiting.connect(name);
                    // Its backlog is full now.
                    assertRefused(type, SocketFilePolicy.replaceStale(), ": there is a live socket");
                    server.accept().close();
                }
            }
            assertRefused(type, SocketFilePolicy.failIfExists(), "");
        }
        Files.delete(path());
        Evidence.of("itself", "bind " + type + " never steals the path of a live " + live + " socket");
    }

    @EachType
    void serverInAnotherProcessKeepsItsPathAndSeesNothing(SocketType type) throws Exception {
        String script = """
                server = socket.socket(socket.AF_UNIX, TYPES[sys.argv[1]])
                server.bind(sys.argv[2])
                print("bound")
                input()
                connected = server.type != socket.SOCK_DGRAM
                if connected:
                    server.listen()
                print("ready")
                input()
                server.setblocking(False)
                try:
                    print("seen:", server.accept() if connected else server.recv(1))
                except BlockingIOError:
                    print("nothing")
                """;
        try (Python server = Python.run(script, type, path())) {
            server.expect("bound");
            assertRefused(type, SocketFilePolicy.replaceStale(), ": there is a live socket");
            server.say("listen");
            server.expect("ready");
            assertRefused(type, SocketFilePolicy.replaceStale(), ": there is a live socket");
            server.say("look");
            server.expect("nothing");
            server.succeed();
        }
        // It has not removed its file.
        bind(type, SocketFilePolicy.replaceStale()).close().sync();
        Evidence.of("CPython", "bind " + type + " leaves the path of a live server to it, which sees nothing");
    }

    @EachType
    void datagramSocketWithAPeerOfItsOwnIsLive(SocketType type) throws Exception {
        Path peer = folder.resolve("peer");
        try (RawSocket other = RawSocket.bound(SocketType.DATAGRAM, peer);
                RawSocket server = RawSocket.bound(SocketType.DATAGRAM, path())) {
            assertEquals(0, server.connect(UnixSocketAddress.of(peer).bytes()));
            // A connect by other processes fails with EPERM now.
            assertRefused(type, SocketFilePolicy.replaceStale(), ": there is a live socket");
            assertTrue(other.fd().isOpen());
        }
    }

    @ParameterizedTest
    @MethodSource("pairsOfTypes")
    void staleSocketIsReplaced(SocketType type, SocketType stale) throws Exception {
        RawSocket.stale(stale, path());
        assertRefused(type, SocketFilePolicy.failIfExists(), "");
        for (SocketFilePolicy policy : POLICIES.subList(0, 3)) {
            if (Files.notExists(path())) {
                RawSocket.stale(stale, path());
            }
            Channel server = bind(type, policy);
            try (RawSocket client = RawSocket.of(type)) {
                assertEquals(0, client.connect(UnixSocketAddress.of(path()).bytes()));
            }
            server.close().sync();
            assertFalse(Files.exists(path()));
        }
        Evidence.of("itself", "bind " + type + " replaces a stale " + stale + " socket");
    }

    @EachType
    void whatIsNoSocketIsNeverTouched(SocketType type) throws Exception {
        for (SocketFilePolicy policy : POLICIES) {
            String hint = policy == POLICIES.get(3) ? "" : ": there is a file that is no socket";
            Files.writeString(path(), "precious");
            assertRefused(type, policy, hint);
            assertEquals("precious", Files.readString(path()));
            Files.delete(path());

            Files.createDirectory(path());
            assertRefused(type, policy, hint);
            Files.delete(path());

            Path target = folder.resolve("target");
            Files.createSymbolicLink(path(), target);
            assertRefused(type, policy, hint);
            RawSocket.stale(type, target);
            assertRefused(type, policy, hint);
            assertTrue(Files.isSymbolicLink(path()) && Files.exists(target));
            Files.delete(target);
            Files.delete(path());
        }
        Evidence.of("itself", "bind " + type + " leaves files, folders and symbolic links alone, whatever the policy");
    }

    @EachType
    void takeOverTakesThePathOfALiveServerWhichKeepsItsHandsOffAfterwards(SocketType type) throws Exception {
        Channel before = bind(type, SocketFilePolicy.replaceStale());
        Channel after = bind(type, SocketFilePolicy.takeOver());
        before.close().sync();
        try (RawSocket client = RawSocket.of(type)) {
            assertEquals(0, client.connect(UnixSocketAddress.of(path()).bytes()));
        }
        after.close().sync();
        assertFalse(Files.exists(path()));
        Evidence.of("itself", "takeOver replaces a live " + type + " socket, whose close leaves the new one alone");
    }

    @EachType
    void secondBindIsRefusedBeforeItRemovesAnything(SocketType type) throws Exception {
        Path stale = RawSocket.stale(type, folder.resolve("stale"));
        for (SocketFilePolicy policy : POLICIES) {
            Channel channel = bind(type, policy);
            for (Path other : List.of(path(), stale, folder.resolve("free"))) {
                UnixSocketError error = assertInstanceOf(UnixSocketError.class,
                        ChannelPair.failure(channel.bind(UnixSocketAddress.of(other))));
                assertEquals("EINVAL", error.errnoName(), policy + " " + other);
            }
            assertTrue(Files.exists(path()) && Files.exists(stale));
            assertEquals(UnixSocketAddress.of(path()), channel.localAddress());
            channel.close().sync();
            assertFalse(Files.exists(path()));
        }
    }

    @EachType
    void closeRemovesOnlyTheFileThatItMade(SocketType type) throws Exception {
        for (SocketFilePolicy policy : POLICIES) {
            Channel channel = bind(type, policy);
            Files.delete(path());
            Files.writeString(path(), "another's");
            channel.close().sync();
            assertEquals("another's", Files.readString(path()));
            Files.delete(path());

            channel = bind(type, policy);
            Path moved = folder.resolve("moved");
            Files.move(path(), moved);
            try (RawSocket other = RawSocket.bound(type, path())) {
                channel.close().sync();
                assertTrue(Files.exists(path()) && other.fd().isOpen());
            }
            Files.delete(path());
            Files.delete(moved);

            channel = bind(type, policy);
            Files.delete(path());
            channel.close().sync();
        }
        Evidence.of("itself", "close of a " + type + " channel removes the file that it made and no other");
    }

    @EachType
    void keepOnCloseLeavesTheFile(SocketType type) throws Exception {
        for (SocketFilePolicy policy : POLICIES) {
            bind(type, policy.keepOnClose()).close().sync();
            assertTrue(Files.exists(path()));
            Files.delete(path());
        }
    }

    @EachType
    void clientsFileIsRemovedWithTheClient(SocketType type) throws Exception {
        try (RawSocket server = RawSocket.bound(type, folder.resolve("server"))) {
            if (type != SocketType.DATAGRAM) {
                server.listen(5);
            }
            UnixSocketAddress remote = UnixSocketAddress.of(folder.resolve("server"));
            UnixSocketAddress local = UnixSocketAddress.of(path());
            RawSocket.stale(type, path());
            Channel client = Channels.client(type, new RecordingHandler()).connect(remote, local).sync().channel();
            assertEquals(local, client.localAddress());
            assertEquals(remote, client.remoteAddress());
            assertTrue(Files.exists(path()));
            client.close().sync();
            assertFalse(Files.exists(path()));

            UnixSocketAddress missing = UnixSocketAddress.of(folder.resolve("missing"));
            ChannelFuture failed = Channels.client(type, new RecordingHandler()).connect(missing, local);
            ChannelPair.failure(failed);
            failed.channel().closeFuture().sync();
            assertFalse(Files.exists(path()));
        }
    }

    @Test
    void relativePathsAreSafeToo() throws Exception {
        Path relative = Path.of("target", "relative" + ProcessHandle.current().pid());
        RawSocket.stale(SocketType.STREAM, relative);
        Channel server = Channels.server(SocketType.STREAM, RecordingHandler::new).bind(UnixSocketAddress.of(relative))
                .sync()
                .channel();
        Throwable refused = ChannelPair.failure(Channels.server(SocketType.STREAM, RecordingHandler::new)
                .bind(UnixSocketAddress.of(relative)));
        assertTrue(refused.getMessage().endsWith("there is a live socket"), refused.getMessage());
        server.close().sync();
        assertFalse(Files.exists(relative));
    }
}
