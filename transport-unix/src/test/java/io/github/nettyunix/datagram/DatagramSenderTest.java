package io.github.nettyunix.datagram;

import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.DomainDatagramPacket;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.net.SocketAddress;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** The sender that a datagram is reported to come from. */
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class DatagramSenderTest {
    private final RecordingHandler inbox = new RecordingHandler();

    /** A receiver that reads only on demand. */
    private UnixDatagramChannel newReceiver() throws InterruptedException {
        return (UnixDatagramChannel) Channels.client(SocketType.DATAGRAM, inbox).option(ChannelOption.AUTO_READ, false)
                .bind(UnixSocketAddress.autobind()).sync().channel();
    }

    private static Channel newSender() throws InterruptedException {
        return Channels.client(SocketType.DATAGRAM, new RecordingHandler()).bind(UnixSocketAddress.autobind()).sync()
                .channel();
    }

    private static void send(Channel from, Channel to, int length) throws InterruptedException {
        from.writeAndFlush(new UnixDatagramPacket(Unpooled.wrappedBuffer(new byte[length]),
                (UnixSocketAddress) to.localAddress()))
                .sync();
    }

    private void assertNext(SocketAddress sender, int length) {
        DomainDatagramPacket packet = inbox.take(DomainDatagramPacket.class);
        assertEquals(sender, packet.sender());
        assertEquals(length, packet.content().readableBytes());
        packet.release();
    }

    private static void close(Channel... channels) throws InterruptedException {
        for (Channel channel : channels) {
            channel.close().sync();
        }
    }

    @Test
    void datagramsReadInOneTurnHaveTheNamesOfTheirSenders() throws Exception {
        UnixDatagramChannel receiver = newReceiver();
        receiver.config().setOption(UnixSocketOption.MAX_MESSAGE_SIZE, 10);
        Channel one = newSender();
        Channel other = newSender();
        send(one, receiver, 1);
        send(one, receiver, 2);
        send(other, receiver, 11);
        send(other, receiver, 3);
        send(other, receiver, 4);
        send(one, receiver, 5);
        receiver.config().setAutoRead(true);
        assertNext(one.localAddress(), 1);
        assertNext(one.localAddress(), 2);
        inbox.take(MessageTruncatedException.class);
        assertNext(other.localAddress(), 3);
        assertNext(other.localAddress(), 4);
        assertNext(one.localAddress(), 5);
        close(receiver, one, other);
        Evidence.of("itself", "datagrams read in one turn have the names of their senders");
    }

    @Test
    void whatCameBeforeTheChannelWasConnectedHasTheNameOfItsSender() throws Exception {
        UnixDatagramChannel receiver = newReceiver();
        Channel peer = newSender();
        Channel other = newSender();
        send(other, receiver, 1);
        receiver.connect(peer.localAddress()).sync();
        send(peer, receiver, 2);
        receiver.config().setAutoRead(true);
        assertNext(other.localAddress(), 1);
        assertNext(peer.localAddress(), 2);
        close(receiver, peer, other);
    }

    @Test
    void datagramsToAConnectedChannelHaveThePeersNameUntilItIsDisconnected() throws Exception {
        UnixDatagramChannel receiver = newReceiver();
        Channel peer = newSender();
        Channel other = newSender();
        receiver.connect(peer.localAddress()).sync();
        receiver.config().setAutoRead(true);
        send(peer, receiver, 1);
        assertNext(peer.localAddress(), 1);
        receiver.disconnect().sync();
        send(other, receiver, 2);
        assertNext(other.localAddress(), 2);
        send(peer, receiver, 3);
        assertNext(peer.localAddress(), 3);
        close(receiver, peer, other);
    }
}
