package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.internal.logging.InternalLoggerFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIf;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.BufferedReader;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

import static io.github.nettyunix.handler.PeerAuthorizationHandler.gid;
import static io.github.nettyunix.handler.PeerAuthorizationHandler.group;
import static io.github.nettyunix.handler.PeerAuthorizationHandler.sameUser;
import static io.github.nettyunix.handler.PeerAuthorizationHandler.uid;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Peers that are refused are not read. */
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class PeerAuthorizationTest {
    private static final UnixCredentials OWN = UnixCredentials.ofThisProcess();
    private static final int NOBODY = 65534;

    private final UnixSocketAddress address = UnixSocketAddress.ofAbstract(UUID.randomUUID().toString());

    /** Records what arrives at a connection, whether or not it was ever active. */
    private static final class Witness extends RecordingHandler {
        static final Object ACTIVE = "ACTIVE";
        final BlockingQueue<Object> states = new LinkedBlockingQueue<>();

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            states.add(ACTIVE);
            super.channelActive(ctx);
        }
    }

    private Channel serve(SocketType type, ChannelHandler... handlers) throws InterruptedException {
        return Channels.server(type, () -> new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(handlers);
            }
        }).bind(address).sync().channel();
    }

    private String hex() {
        return HexFormat.of().formatHex(address.bytes());
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void theWrongUserIsRefusedBeforeAByteIsRead(SocketType type) throws Exception {
        Witness witness = new Witness();
        // Root can become another user. Otherwise, the server wants another user.
        boolean root = OWN.uid() == 0;
        Channel server = serve(type, new PeerAuthorizationHandler(root ? sameUser() : uid(NOBODY)), witness);
        try (Python python = Python.run("""
                if sys.argv[3] == "true":
                    os.setgroups([])
                    os.setgid(65534)
                    os.setuid(65534)
                sock = socket.socket(socket.AF_UNIX, TYPES[sys.argv[1]])
                sock.connect(bytes.fromhex(sys.argv[2]))
                try:
                    send(sock, b"intruder", [labelled("x")])
                    print(sock.recv(100))
                except OSError as e:
                    print(b"")
                """, type, hex(), root)) {
            PeerRefusedException refused = witness.take(PeerRefusedException.class);
            python.expect("b''");
            assertEquals(python.pid(), refused.credentials().pid());
            assertEquals(root ? NOBODY : OWN.uid(), refused.credentials().uid());
            assertEquals("authorize " + type + ' ' + address + ": EACCES (Permission denied): the peer is process "
                    + python.pid()
                    + ", user " + refused.credentials().uid() + ", group " + refused.credentials().gid(),
                    refused.getMessage());
            assertTrue(refused instanceof UnixSocketError && refused.errnoName().equals("EACCES")
                    && refused.socketType() == type);
            assertEquals(0, refused.getStackTrace().length);
            assertNull(refused.getCause());
            python.succeed();
        }
        server.close().sync();
        assertTrue(witness.isEmpty() && witness.states.isEmpty());
        Evidence.of("CPython", "the wrong user is refused before a byte is read, " + type
                + (root ? ", as nobody" : ""));
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void acceptedPeersAreServedAndNotCheckedAgain(SocketType type) throws Exception {
        RecordingHandler inbox = new RecordingHandler();
        PeerAuthorizationHandler handler = new PeerAuthorizationHandler(sameUser().and(gid(OWN.gid())));
        Channel server = serve(type, handler, inbox);
        try (Python python = Python.run("""
                sock = socket.socket(socket.AF_UNIX, TYPES[sys.argv[1]])
                sock.connect(bytes.fromhex(sys.argv[2]))
                sock.send(b"question")
                print(sock.recv(100).decode())
                """, type, hex())) {
            assertEquals("question", ChannelPair.text(inbox.take()));
            assertNull(inbox.channel().pipeline().get(PeerAuthorizationHandler.class));
            inbox.channel().writeAndFlush(Content.of("answer")).sync();
            python.expect("answer");
            python.succeed();
            assertSame(RecordingHandler.INACTIVE, inbox.take());
        }
        server.close().sync();
        Evidence.of("CPython", "the right user is served, " + type);
    }

    @Test
    void theSenderOfEachDatagramIsLookedAt() throws Exception {
        RecordingHandler inbox = new RecordingHandler();
        // Root can become another user; otherwise the processes are distinguished.
        boolean root = OWN.uid() == 0;
        long[] allowed = new long[1];
        Channel channel = Channels.client(SocketType.DATAGRAM, new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new PeerAuthorizationHandler(root ? sameUser()
                        : sender -> sender.pid() == allowed[0]), inbox);
            }
        }).option(UnixSocketOption.SO_PASSCRED, true).bind(address).sync().channel();
        try (Python python = Python.run("""
                input()
                address = bytes.fromhex(sys.argv[1])
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                sock.sendto(b"first", address)
                child = os.fork()
                if child == 0:
                    if sys.argv[2] == "true":
                        os.setgroups([])
                        os.setgid(65534)
                        os.setuid(65534)
                    send(sock, b"intruder", [labelled("x")], address)
                    os._exit(0)
                os.waitpid(child, 0)
                print(child)
                sock.sendto(b"last", address)
                """, hex(), root)) {
            allowed[0] = python.pid();
            python.say("go");
            assertEquals("first", ChannelPair.text(inbox.take(UnixDatagramPacket.class)));
            PeerRefusedException refused = inbox.take(PeerRefusedException.class);
            assertEquals(Integer.parseInt(python.line()), refused.credentials().pid());
            assertEquals(root ? NOBODY : OWN.uid(), refused.credentials().uid());
            assertTrue(refused.getMessage().startsWith("authorize datagram " + address
                    + ": EACCES (Permission denied): the sender is process "), refused.getMessage());
            assertEquals("last", ChannelPair.text(inbox.take(UnixDatagramPacket.class)));
            python.succeed();
        }
        channel.close().sync();
        Evidence.of("CPython", "the sender of each datagram is looked at" + (root ? ", nobody is refused" : ""));
    }

    @Test
    void datagramsWithoutCredentialsAreRefused() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.DATAGRAM)
                .start(new PeerAuthorizationHandler(sender -> true))) {
            pair.send("anonymous").sync();
            PeerRefusedException refused = pair.inbox.take(PeerRefusedException.class);
            assertNull(refused.credentials());
            assertTrue(refused.getMessage().endsWith("the message has no credentials; SO_PASSCRED asks for them"),
                    refused.getMessage());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void clientsCanRefuseTheirServer(SocketType type) throws Exception {
        Channel server = serve(type);
        Witness witness = new Witness();
        Channel client = Channels.client(type, new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new PeerAuthorizationHandler(peer -> peer.pid() != OWN.pid()), witness);
            }
        }).connect(address).sync().channel();
        witness.take(PeerRefusedException.class);
        client.closeFuture().sync();
        server.close().sync();
        assertTrue(witness.isEmpty() && witness.states.isEmpty());
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aChannelInUseIsLookedAtWhenTheHandlerIsAdded(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            RuntimeException broken = new IllegalStateException("broken");
            pair.receiver.pipeline().addFirst(new PeerAuthorizationHandler(peer -> true));
            ChannelPair.settle(pair.receiver);
            pair.send("served").sync();
            assertEquals("served", pair.text());
            assertNull(pair.receiver.pipeline().get(PeerAuthorizationHandler.class));
            pair.receiver.pipeline().addFirst(new PeerAuthorizationHandler(peer -> {
                throw broken;
            }));
            PeerRefusedException refused = pair.inbox.take(PeerRefusedException.class);
            assertSame(broken, refused.getCause());
            assertEquals(OWN.pid(), refused.credentials().pid());
            pair.receiver.closeFuture().sync();
            ChannelPair.settle(pair.receiver);
            assertTrue(pair.inbox.isEmpty());
        }
    }

    @EachType
    void aTestThatThrowsAnErrorRefusesAndNothingLeaks(SocketType type) throws Exception {
        AssertionError broken = new AssertionError("broken");
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.SO_PASSCRED, true)
                .start(new PeerAuthorizationHandler(peer -> {
            throw broken;
        }))) {
            pair.send("not to be served");
            assertSame(broken, pair.inbox.take(PeerRefusedException.class).getCause());
            if (type != SocketType.DATAGRAM) {
                pair.receiver.closeFuture().sync();
            }
            ChannelPair.settle(pair.receiver);
            assertTrue(pair.inbox.isEmpty());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void anUnhandledRefusalDoesNotReachTheTail(SocketType type) throws Exception {
        for (Channel channel : Channels.pair(type)) {
            CompletableFuture<ChannelHandler> last = new CompletableFuture<>();
            Channels.register(channel, new PeerAuthorizationHandler(peer -> false), new ChannelInboundHandlerAdapter() {
                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    last.complete(ctx.pipeline().last());
                    ctx.fireExceptionCaught(cause);
                }
            });
            assertSame(PeerAuthorizationHandler.REFUSALS, last.get(10, TimeUnit.SECONDS));
            channel.closeFuture().sync();
        }
    }

    private static RefusalLog newLog(long interval) {
        return new RefusalLog(InternalLoggerFactory.getInstance(PeerAuthorizationTest.class), interval);
    }

    @Test
    @Tag("once")
    void refusalsThatFollowOneAnotherAreOneLine() {
        RefusalLog log = newLog(TimeUnit.HOURS.toNanos(1));
        assertEquals("who", log.line("who"));
        for (int i = 0; i < 1000; i++) {
            assertNull(log.line("who"));
        }
        log = newLog(0);
        assertEquals("who", log.line("who"));
        assertEquals("who", log.line("who"));

        EmbeddedChannel channel = new EmbeddedChannel(PeerAuthorizationHandler.REFUSALS);
        channel.pipeline().fireExceptionCaught(new PeerRefusedException(channel, "who", null, null));
        channel.checkException();
        channel.pipeline().fireExceptionCaught(new IllegalStateException("another"));
        assertThrows(IllegalStateException.class, channel::checkException);
    }

    /** In a user namespace that maps nobody, everybody is the same user, this process included. */
    @Test
    @Tag("once")
    @DisabledIf(value = "io.github.nettyunix.testing.Namespaces#isChroot",
            disabledReason = "does not apply: there are no user namespaces in a chroot")
    void unmappedUsersAreNotTheSameUser() throws Exception {
        String name = UUID.randomUUID().toString();
        List<String> command = new ArrayList<>(List.of("unshare", "--user"));
        command.addAll(Jvm.command(Unmapped.class));
        command.add(name);
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader();
             Python python = Python.run("""
                     input()
                     for _ in range(2):
                         sock = socket.socket(socket.AF_UNIX)
                         sock.connect(bytes(1) + sys.argv[1].encode() + b"1")
                         assert sock.recv(100) == b""
                     sock = socket.socket(socket.AF_UNIX)
                     sock.connect(bytes(1) + sys.argv[1].encode() + b"2")
                     print(sock.recv(100).decode())
                     """, name)) {
            assertEquals("listening as an unknown user", out.readLine());
            python.say("go");
            python.expect("welcome");
            python.succeed();
            assertTrue(out.readLine().startsWith("authorize stream @" + name + "1: EACCES"));
        } finally {
            process.getOutputStream().close();
            process.waitFor();
        }
        Evidence.of("CPython", "a user that is not mapped is not the same user");
    }

    /** A service in a user namespace. */
    public static final class Unmapped {
        public static void main(String[] arguments) throws Exception {
            EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
            UnixCredentials own = UnixCredentials.ofThisProcess();
            Predicate<UnixCredentials> byName = uid(own.uid());
            for (Predicate<UnixCredentials> test : List.of(sameUser(), byName)) {
                new ServerBootstrap().group(group).channel(UnixServerStreamChannel.class)
                        .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new PeerAuthorizationHandler(test),
                                new ChannelInboundHandlerAdapter() {
                            @Override
                            public void channelActive(ChannelHandlerContext ctx) {
                                ctx.writeAndFlush(ChannelPair.buffer("welcome"));
                            }

                            @Override
                            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                                System.out.println(cause.getMessage());
                            }
                        });
                    }
                }).bind(UnixSocketAddress.ofAbstract(arguments[0] + (test == byName ? 2 : 1))).sync();
            }
            System.out.println(own.isUserUnknown() && own.isGroupUnknown() ? "listening as an unknown user" : own);
            System.in.read();
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        }
    }

    /** From another package, as users see it. */
    @Test
    void unsafeIsOfAPublicType() throws Exception {
        UnixStreamChannel registered = Channels.register(new UnixStreamChannel());
        registered.eventLoop().submit(() -> registered.unsafe().closeForcibly()).sync();
        assertFalse(registered.isOpen());
        registered.close().sync();
    }

    @Test
    @Tag("once")
    void aChannelWithoutAPeerIsClosed() {
        EmbeddedChannel channel = new EmbeddedChannel(new PeerAuthorizationHandler(peer -> true));
        PeerRefusedException refused = assertThrows(PeerRefusedException.class, channel::checkException);
        assertInstanceOf(UnsupportedOperationException.class, refused.getCause());
        assertFalse(channel.isOpen());
    }

    @Test
    @Tag("once")
    void readyMadeTests() {
        UnixCredentials peer = new UnixCredentials(1, 2, 3, List.of(4, 5));
        assertPasses(true, peer, uid(2), gid(3), group(3), group(5), uid(7).or(group(4)));
        assertPasses(false, peer, uid(1), uid(3), gid(2), gid(4), group(2), group(6),
                sameUser().and(uid(OWN.uid() + 1)));
        assertPasses(true, new UnixCredentials(0, OWN.uid(), 77), sameUser());
        UnixCredentials unknown = new UnixCredentials(0, NOBODY, NOBODY);
        assertTrue(unknown.isUserUnknown(), "user");
        assertTrue(unknown.isGroupUnknown(), "group");
        assertFalse(peer.isUserUnknown() || peer.isGroupUnknown());
        assertPasses(true, unknown, uid(NOBODY), gid(NOBODY), group(NOBODY));
        assertPasses(false, unknown, sameUser());
    }

    @SafeVarargs
    private static void assertPasses(boolean expected, UnixCredentials peer, Predicate<UnixCredentials>... tests) {
        for (int i = 0; i < tests.length; i++) {
            assertEquals(expected, tests[i].test(peer), "test " + i);
        }
    }
}
