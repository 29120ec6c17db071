package io.github.nettyunix.adopt;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Sockets from elsewhere become channels; a descriptor that is not a socket stays the caller's. */
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class AdoptTest {
    private static final Map<String, IntFunction<Channel>> ADOPTERS = Map.of("stream", UnixStreamChannel::adopt,
            "seqpacket", UnixSeqpacketChannel::adopt, "datagram", UnixDatagramChannel::adopt,
            "listening stream", UnixServerStreamChannel::adopt, "listening seqpacket",
            UnixServerSeqpacketChannel::adopt);

    @TempDir
    private Path folder;

    private static String refusal(int fd, IntFunction<Channel> adopter, String errnoName) {
        ChannelException refused = assertThrows(ChannelException.class, () -> adopter.apply(fd));
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, refused);
        assertEquals("adopt", error.operation());
        assertEquals(errnoName, error.errnoName());
        return refused.getMessage();
    }

    @Test
    void descriptorsThatAreNoOpenUnixSocketsStayTheCallers() throws Exception {
        Socket tcp = Socket.newSocketStream();
        UnixFileDescriptor file = Descriptors.some(1)[0];
        List<IntFunction<Channel>> adopters = new ArrayList<>(ADOPTERS.values());
        adopters.add(UnixTransport::adopt);
        for (IntFunction<Channel> adopter : adopters) {
            String message = refusal(tcp.intValue(), adopter, "EAFNOSUPPORT");
            assertTrue(message.endsWith("descriptor " + tcp.intValue() + " is no AF_UNIX socket"), message);
            refusal(file.intValue(), adopter, "ENOTSOCK");
            refusal(-1, adopter, "EBADF");
        }
        assertThrows(ChannelException.class, () -> UnixTransport.adopt(file));
        assertTrue(file.isOpen());
        assertEquals("file 0", Descriptors.text(file));
        assertTrue(Descriptors.open().containsKey(tcp.intValue()));
        tcp.close();
        file.close();
        refusal(file.intValue(), UnixTransport::adopt, "EBADF");
        ChannelException closed = assertThrows(ChannelException.class, () -> UnixTransport.adopt(file));
        assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, closed).errnoName());
        Evidence.of("itself", "adopt refuses TCP sockets, files and closed descriptors, which stay the caller's");
    }

    @EachType
    void socketOfAnotherTypeStaysTheCallers(SocketType type) throws Exception {
        try (RawSocket socket = RawSocket.bound(type, folder.resolve("s"))) {
            assertRefusedByOthers(socket, type.toString());
            if (type != SocketType.DATAGRAM) {
                socket.listen(1);
                assertRefusedByOthers(socket, "listening " + type);
            }
        }
    }

    private static void assertRefusedByOthers(RawSocket socket, String what) {
        int fd = socket.fd().intValue();
        ADOPTERS.forEach((kind, adopter) -> {
            if (!kind.equals(what)) {
                String message = refusal(fd, adopter, "EPROTOTYPE");
                assertTrue(message.endsWith("descriptor " + fd + " is a " + what + " socket"), message);
            }
        });
        assertTrue(Descriptors.open().containsKey(fd));
    }

    @EachType
    void ownersDescriptorIsDetachedOnceItIsAChannels(SocketType type) throws Exception {
        int[] fds = new int[2];
        assertEquals(0, UnixSocket.newSocketPair(type.ordinal(), fds));
        UnixFileDescriptor fd = UnixFileDescriptor.adopt(fds[0]);
        RecordingHandler inbox = new RecordingHandler();
        Channel one = Channels.register(UnixTransport.adopt(fd), inbox);
        Channel other = Channels.register(UnixTransport.adopt(fds[1]));
        assertInstanceOf(Channels.clientClass(type), one);
        assertFalse(fd.isOpen());
        fd.close();
        assertTrue(one.isActive());
        other.writeAndFlush(ChannelPair.buffer("hello")).sync();
        assertEquals("hello", ChannelPair.text(inbox.take()));
        one.close().sync();
        other.close().sync();
        Evidence.of("itself", "an adopted " + type + " socket is a channel in use");
    }

    @EachType
    void adoptedSocketHasTheStateAndTheAddressesOfTheSocket(SocketType type) throws Exception {
        UnixSocketAddress serverAddress = UnixSocketAddress.of(folder.resolve("server"));
        UnixSocketAddress clientAddress = UnixSocketAddress.of(folder.resolve("client"));
        RawSocket server = RawSocket.bound(type, folder.resolve("server"));
        if (type != SocketType.DATAGRAM) {
            server.listen(5);
        }
        Channel adopted = UnixTransport.adopt(server.fd().intValue());
        assertEquals(serverAddress, adopted.localAddress());
        assertNull(adopted.remoteAddress());
        assertTrue(adopted.isActive());
        // No handler is there to take what it would accept.
        adopted.config().setAutoRead(false);
        Loops.group().register(adopted).sync();

        Channel fresh = UnixTransport.adopt(RawSocket.of(type).fd().intValue());
        assertEquals(type == SocketType.DATAGRAM, fresh.isActive());
        fresh.unsafe().closeForcibly();

        RawSocket client = RawSocket.bound(type, folder.resolve("client"));
        assertEquals(0, client.connect(serverAddress.bytes()));
        Channel connected = UnixTransport.adopt(client.fd().intValue());
        assertTrue(connected.isActive());
        assertEquals(clientAddress, connected.localAddress());
        assertEquals(serverAddress, connected.remoteAddress());
        Loops.group().register(connected).sync();
        connected.close().sync();
        adopted.close().sync();
        assertTrue(Files.exists(folder.resolve("server")));
        assertTrue(Files.exists(folder.resolve("client")));
        Evidence.of("itself", "an adopted " + type + " socket shows its addresses, and its file stays");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void unconnectedSocketCanBeConnectedAfterwards(SocketType type) throws Exception {
        Path path = folder.resolve("s");
        Channel server = Channels.server(type, RecordingHandler::new).bind(UnixSocketAddress.of(path)).sync().channel();
        Channel channel = Channels.register(UnixTransport.adopt(RawSocket.of(type).fd().intValue()));
        channel.connect(UnixSocketAddress.of(path)).sync();
        assertTrue(channel.isActive());
        channel.close().sync();
        server.close().sync();
    }

    /** Adopts descriptor 0, sends a greeting through it, and prints what happened to the number. */
    static final class Inherited {
        public static void main(String[] arguments) throws Exception {
            Channel channel = UnixTransport.adopt(0);
            int number = ((UnixChannel) channel).fd().intValue();
            Channels.register(channel).writeAndFlush(Unpooled.copiedBuffer(channel.getClass()
                    .getSimpleName() + " moved: "
                    + (number > 2) + ", 0 is "
                    + Descriptors.open().get(0) + ", stdin: " + System.in.read(), StandardCharsets.UTF_8)).sync();
            channel.close().sync();
            System.exit(0);
        }
    }

    @Tag("once")
    @EachType
    void standardInputIsMovedAndDevNullTakesItsPlace(SocketType type) throws Exception {
        String script = """
                kind = TYPES[sys.argv.pop(1)]
                ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
                import subprocess
                child = subprocess.Popen(sys.argv[1:], stdin=theirs)
                theirs.close()
                print(ours.recv(1000).decode(), flush=True)
                code = child.wait()
                if kind != socket.SOCK_DGRAM:
                    print(len(ours.recv(1000)), flush=True)
                sys.exit(code)
                """;
        List<Object> arguments = new ArrayList<>(List.of(type));
        arguments.addAll(Jvm.command(Inherited.class));
        try (Python parent = Python.run(script, arguments.toArray())) {
            parent.expect(Channels.clientClass(type).getSimpleName() + " moved: true, 0 is /dev/null, stdin: -1");
            if (type != SocketType.DATAGRAM) {
                parent.expect("0");
            }
            parent.succeed();
        }
        Evidence.of("CPython", "adopt(0) moves an inherited " + type + " socket, and /dev/null takes its place");
    }
}
