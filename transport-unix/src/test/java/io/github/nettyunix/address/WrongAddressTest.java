package io.github.nettyunix.address;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.DefaultAddressedEnvelope;
import io.netty.channel.unix.DomainSocketAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Invalid addresses: each is refused with an error that says why, and the channel can still be bound to a valid one.
 */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class WrongAddressTest {
    private static final InetSocketAddress INET = new InetSocketAddress("127.0.0.1", 80);

    @TempDir
    private Path folder;

    private static void assertError(ChannelFuture future, String operation, SocketType type, SocketAddress address,
                                    String errnoName, String hint) throws InterruptedException {
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(future));
        assertEquals(operation, error.operation());
        assertEquals(type, error.socketType());
        assertEquals(address, error.address());
        assertEquals(errnoName, error.errnoName());
        assertTrue(error.errno() > 0);
        String message = future.cause().getMessage();
        assertTrue(message.startsWith(operation + ' ' + type) && message.contains(": " + errnoName + " (")
                && message.contains(hint), message);
    }

    @EachType
    void bindRefusesWrongAddressesAndThenTakesARightOne(SocketType type) throws Exception {
        Channel channel = Channels.register(Channels.newBindable(type));
        UnixSocketAddress longName = UnixSocketAddress.ofAbstract(new byte[108]);
        UnixSocketAddress longFile = UnixSocketAddress.of(folder.resolve("n".repeat(108)));
        DomainSocketAddress nul = new DomainSocketAddress("/tmp/a\0b");
        DomainSocketAddress surrogate = new DomainSocketAddress("/tmp/\uD800");
        assertError(channel.bind(INET), "bind", type, INET, "EAFNOSUPPORT", "InetSocketAddress");
        assertError(channel.bind(longName), "bind", type, longName, "ENAMETOOLONG", "at most 107 bytes");
        assertError(channel.bind(longFile), "bind", type, longFile, "ENAMETOOLONG", "bytes");
        assertError(channel.bind(nul), "bind", type, nul, "EINVAL", "NUL");
        assertError(channel.bind(surrogate), "bind", type, surrogate, "EINVAL", "surrogate");
        UnixSocketAddress right = UnixSocketAddress.of(folder.resolve("s"));
        channel.bind(right).sync();
        assertEquals(right, channel.localAddress());
        channel.close().sync();
        Evidence.of("itself", "a " + type + " channel that refused to bind to wrong addresses binds to a right one");
    }

    /** An empty setting must not open a server to every process of the machine. */
    @EachType
    void bindToAnEmptyAddressIsRefusedUnlessAutobindIsRequested(SocketType type) throws Exception {
        Channel channel = Channels.register(Channels.newBindable(type));
        for (SocketAddress empty : new SocketAddress[] {new DomainSocketAddress(""), UnixDomainSocketAddress.of(""),
                UnixSocketAddress.unnamed(), UnixSocketAddress.from(new DomainSocketAddress("")),
                UnixSocketAddress.ofBytes(new byte[0])}) {
            assertError(channel.bind(empty), "bind", type, UnixSocketAddress.unnamed(), "EINVAL",
                    "the address is empty; "
                    + "UnixSocketAddress.autobind() lets the kernel choose an abstract name");
        }
        channel.bind(UnixSocketAddress.autobind()).sync();
        assertTrue(((UnixSocketAddress) channel.localAddress()).isAbstract());
        channel.close().sync();
        Evidence.of("itself", "a " + type + " channel is not bound to an empty address");
    }

    @EachType
    void connectRefusesWrongAddressesAndThenTakesARightOne(SocketType type) throws Exception {
        UnixSocketAddress right = UnixSocketAddress.ofAbstract("connectRefusesWrongAddresses" + type);
        Channel server = type == SocketType.DATAGRAM
                ? Channels.register(new UnixDatagramChannel(), new RecordingHandler())
                : Channels.server(type, RecordingHandler::new).register().sync().channel();
        server.bind(right).sync();
        Channel channel = Channels.register(Channels.newClient(type));
        UnixSocketAddress longName = UnixSocketAddress.ofAbstract("n".repeat(108));
        UnixSocketAddress longFile = UnixSocketAddress.of(folder.resolve("n".repeat(108)));
        assertError(channel.connect(INET), "connect", type, INET, "EAFNOSUPPORT", "InetSocketAddress");
        assertError(channel.connect(right, INET), "bind", type, INET, "EAFNOSUPPORT", "InetSocketAddress");
        if (type == SocketType.DATAGRAM) {
            assertError(channel.connect(longName), "connect", type, longName, "ENAMETOOLONG", "at most 107 bytes");
            assertError(channel.connect(longFile), "connect", type, longFile, "ENAMETOOLONG", "in a long path");
        }
        channel.connect(right).sync();
        assertTrue(channel.isActive());
        assertEquals(right, channel.remoteAddress());
        channel.close().sync();
        server.close().sync();
    }

    @EachType
    void connectNamesTheLimitOfALongName(SocketType type) throws Exception {
        UnixSocketAddress longName = UnixSocketAddress.ofAbstract("n".repeat(108));
        Channel channel = Channels.register(Channels.newClient(type));
        assertError(channel.connect(longName), "connect", type, longName, "ENAMETOOLONG", "at most 107 bytes");
        channel.close().sync();
        UnixSocketAddress longFile = UnixSocketAddress.of(folder.resolve("n".repeat(256)));
        channel = Channels.register(Channels.newClient(type));
        assertError(channel.connect(longFile), "connect", type, longFile, "ENAMETOOLONG", "in a long path");
        channel.close().sync();
    }

    @Test
    void datagramSocketIsNotBoundToAPathThatItsPeersCouldNotAnswer() throws Exception {
        UnixSocketAddress address = UnixSocketAddress.of(folder + "/" + "d".repeat(107 - folder.toString().length()));
        assertEquals(108, address.bytes().length);
        Channel channel = Channels.register(new UnixDatagramChannel());
        assertError(channel.bind(address), "bind", SocketType.DATAGRAM, address, "ENAMETOOLONG", "at most 107 bytes");
        UnixSocketAddress longest = UnixSocketAddress.of(address.path().substring(0, 107));
        channel.bind(longest).sync();
        assertEquals(longest, channel.localAddress());
        channel.close().sync();
    }

    @Test
    void datagramToAWrongRecipientFailsAlone() throws Exception {
        try (ChannelPair pair = ChannelPair.started(SocketType.DATAGRAM)) {
            UnixSocketAddress longPath = UnixSocketAddress.of("/" + "p".repeat(107));
            UnixSocketAddress missing = UnixSocketAddress.of(folder.resolve("missing"));
            ChannelFuture inet = pair.sender.write(
                    new DefaultAddressedEnvelope<ByteBuf, SocketAddress>(ChannelPair.buffer("x"), INET));
            UnixFileDescriptor[] fds = Descriptors.some(2);
            ChannelFuture tooLong =
                    pair.sender.write(new UnixDatagramPacket(ChannelPair.buffer("x"), longPath, fds[0]));
            ChannelFuture unnamed = pair.sender.write(new UnixDatagramPacket(ChannelPair.buffer("x"),
                    UnixSocketAddress.unnamed(), fds[1]));
            ChannelFuture nobody = pair.sender.write(new UnixDatagramPacket(ChannelPair.buffer("x"), missing));
            pair.send("alive").sync();
            assertError(inet, "write", SocketType.DATAGRAM, INET, "EAFNOSUPPORT", "InetSocketAddress");
            assertError(tooLong, "write", SocketType.DATAGRAM, longPath, "ENAMETOOLONG", "sun_path");
            assertError(unnamed, "write", SocketType.DATAGRAM, UnixSocketAddress.unnamed(), "EINVAL", "no name");
            assertError(nobody, "write", SocketType.DATAGRAM, missing, "ENOENT", "No such file");
            assertEquals(0, Descriptors.countOpen(fds));
            assertEquals("alive", pair.text());
        }
        Evidence.of("itself", "datagrams to wrong recipients fail alone");
    }

    @Test
    void datagramOfAnUnconnectedChannelNeedsARecipient() throws Exception {
        Channel channel = Channels.register(new UnixDatagramChannel());
        channel.bind(UnixSocketAddress.autobind()).sync();
        UnixSocketError error = assertInstanceOf(UnixSocketError.class,
                ChannelPair.failure(channel.writeAndFlush(ChannelPair.buffer("x"))));
        assertEquals("ENOTCONN", error.errnoName());
        assertTrue(channel.isActive());
        channel.close().sync();
    }

    @Test
    void pathsWithANulAreNoAddresses() {
        assertThrows(IllegalArgumentException.class, () -> UnixSocketAddress.of("/run/a\0b"));
        assertThrows(IllegalArgumentException.class, () -> UnixSocketAddress.of(""));
        assertThrows(IllegalArgumentException.class, () -> UnixSocketAddress.from(INET));
        assertThrows(NullPointerException.class, () -> UnixSocketAddress.from(null));
    }
}
