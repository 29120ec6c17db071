package io.github.nettyunix.address;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Names are bytes; text is one representation of them. */
@Tag("library")
@Tag("user")
@EnabledOnOs(OS.LINUX)
@ExtendWith(LeakCheckExtension.class)
class NameBytesTest {
    /** Latin-1, a truncated UTF-8 sequence, an encoded surrogate, valid UTF-8 of 2 to 4 bytes. */
    private static final byte[] NO_TEXT = {'a', (byte) 0xE9, (byte) 0xE2, (byte) 0x82, (byte) 0xED, (byte) 0xA0,
        (byte) 0x80, (byte) 0xC3, (byte) 0xA9, (byte) 0xE2, (byte) 0x82, (byte) 0xAC, (byte) 0xF0, (byte) 0x9F,
        (byte) 0x98, (byte) 0x80, (byte) 0xFF, 'z'};

    @TempDir
    private Path folder;

    private static byte[] name(String before, byte[] bytes) {
        ByteArrayOutputStream name = new ByteArrayOutputStream();
        name.writeBytes(before.getBytes(StandardCharsets.UTF_8));
        name.writeBytes(bytes);
        return name.toByteArray();
    }

    private List<byte[]> names(SocketType type) {
        List<byte[]> names = new ArrayList<>();
        names.add(name(folder + "/", NO_TEXT));
        names.add(name("\0" + type, NO_TEXT));
        names.add(name("\0" + type + "\0with\0NUL\0", new byte[2]));
        names.add(new byte[] {0, 0});
        names.add(name("\0", "n".repeat(107).getBytes(StandardCharsets.UTF_8)));
        return names;
    }

    @EachType
    void kernelSeesExactlyTheRequestedBytes(SocketType type) throws Exception {
        for (byte[] name : names(type)) {
            UnixSocketAddress address = UnixSocketAddress.ofBytes(name);
            Channel server = type == SocketType.DATAGRAM
                    ? Channels.register(new UnixDatagramChannel(), new RecordingHandler())
                    : Channels.server(type, RecordingHandler::new).register().sync().channel();
            server.bind(address).sync();
            assertEquals(address, server.localAddress());
            try (RawSocket client = RawSocket.of(type)) {
                assertEquals(0, client.connect(name), address.toString());
            }
            server.close().sync();
        }
        Evidence.of("itself", type + " names of any bytes, NUL and no UTF-8 among them, reach the kernel as they are");
    }

    @EachType
    void namesFromTheKernelAreExact(SocketType type) throws Exception {
        for (byte[] name : names(type)) {
            RawSocket server = RawSocket.of(type).bind(name);
            Channel adopted = UnixTransport.adopt(type == SocketType.DATAGRAM ? server.fd().intValue()
                    : server.listen(1).fd().intValue());
            UnixSocketAddress address = (UnixSocketAddress) adopted.localAddress();
            assertArrayEquals(name, address.bytes());
            // Through text, as code for Netty's own address class does.
            assertArrayEquals(name, UnixSocketAddress.of(address.path()).bytes());
            assertArrayEquals(name, UnixSocketAddress.from(new DomainSocketAddress(address.path())).bytes());
            Channel client = Channels.client(type, new RecordingHandler())
                    .connect(new DomainSocketAddress(address.path())).sync()
                    .channel();
            assertEquals(address, client.remoteAddress());
            client.close().sync();
            adopted.unsafe().closeForcibly();
        }
    }

    @Test
    void senderOfADatagramIsExactAndCanBeAnswered() throws Exception {
        UnixSocketAddress receiverAddress = UnixSocketAddress.ofAbstract("receiver");
        for (byte[] name : names(SocketType.DATAGRAM)) {
            UnixSocketAddress senderAddress = UnixSocketAddress.ofBytes(name);
            RecordingHandler receiverInbox = new RecordingHandler();
            RecordingHandler senderInbox = new RecordingHandler();
            Channel receiver = Channels.client(SocketType.DATAGRAM, receiverInbox).bind(receiverAddress).sync()
                    .channel();
            Channel sender = Channels.client(SocketType.DATAGRAM, senderInbox).bind(senderAddress).sync().channel();
            sender.writeAndFlush(new UnixDatagramPacket(ChannelPair.buffer("ping"), receiverAddress)).sync();
            DomainDatagramPacket ping = receiverInbox.take(DomainDatagramPacket.class);
            assertArrayEquals(name, ((UnixSocketAddress) ping.sender()).bytes());
            receiver.writeAndFlush(new DomainDatagramPacket(ChannelPair.buffer("pong"), ping.sender())).sync();
            ping.release();
            assertEquals("pong", ChannelPair.text(senderInbox.take(DomainDatagramPacket.class)));
            receiver.close().sync();
            sender.close().sync();
        }
        Evidence.of("itself", "datagrams show their sender's name byte for byte");
    }

    @EachType
    void autobindAddressIsReadBack(SocketType type) throws Exception {
        Channel server = type == SocketType.DATAGRAM
                ? Channels.register(new UnixDatagramChannel(), new RecordingHandler())
                : Channels.server(type, RecordingHandler::new).register().sync().channel();
        server.bind(UnixSocketAddress.autobind()).sync();
        UnixSocketAddress chosen = (UnixSocketAddress) server.localAddress();
        assertTrue(chosen.isAbstract());
        assertTrue(chosen.path().matches("\0[0-9a-f]{5}"), chosen.toString());
        Channel client = Channels.client(type, new RecordingHandler()).connect(chosen).sync().channel();
        assertEquals(chosen, client.remoteAddress());
        client.close().sync();
        server.close().sync();
        Evidence.of("itself", "the name that the kernel chooses for a " + type + " socket is read back");
    }
}
