package io.github.nettyunix;

import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Proof;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.DomainDatagramPacket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

class DatagramPeerFullTest {
    private static final int MANY = 200;

    @TempDir
    Path folder;

    @Test
    void aPeerThatDoesNotReadHoldsUpNobodyElse() throws Exception {
        Descriptors before = Descriptors.now();
        UnixSocketAddress peerAddress = UnixSocketAddress.of(folder.resolve("peer"));
        UnixSocketAddress otherAddress = UnixSocketAddress.of(folder.resolve("other"));
        Inbox peerInbox = new Inbox();
        Inbox otherInbox = new Inbox();
        Channel peer = Channels.client(SocketType.DATAGRAM, peerInbox).option(ChannelOption.AUTO_READ, false)
                .bind(peerAddress).sync().channel();
        Channel other = Channels.client(SocketType.DATAGRAM, otherInbox).bind(otherAddress).sync().channel();
        Channel sender = Channels.client(SocketType.DATAGRAM, new Inbox()).connect(peerAddress).sync().channel();

        ChannelFuture last = null;
        for (int i = 0; i < MANY; i++) {
            last = sender.writeAndFlush(Unpooled.copyInt(i));
        }
        ChannelFuture passing = sender.writeAndFlush(new UnixDatagramPacket(Unpooled.copyInt(-1), otherAddress));
        DomainDatagramPacket packet = otherInbox.take(DomainDatagramPacket.class);
        assertEquals(-1, packet.content().readInt());
        packet.release();
        assertFalse(last.isDone(), "the peer has not read");
        assertFalse(passing.isDone(), "promises complete in the order of the queue");

        peer.config().setAutoRead(true);
        for (int i = 0; i < MANY; i++) {
            DomainDatagramPacket next = peerInbox.take(DomainDatagramPacket.class);
            assertEquals(i, next.content().readInt());
            next.release();
        }
        last.sync();
        passing.sync();
        for (Channel channel : new Channel[] {sender, other, peer}) {
            channel.close().sync();
        }
        before.assertUnchanged();
        Proof.of("itself", "a connected datagram channel's full peer holds up nobody else");
    }
}
