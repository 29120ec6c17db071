package io.github.nettyunix.api;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.MessageToMessageDecoder;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A message is one unit of bytes and descriptors with one reference count, no matter how many views of it exist. */
@Tag("once")
@ExtendWith(LeakCheckExtension.class)
class UnixMessageTest {
    private static final UnixCredentials ME = new UnixCredentials(1, 2, 3, List.of());

    private static UnixFileDescriptor[] fds(UnixMessage message) {
        return message.fileDescriptors().toArray(new UnixFileDescriptor[0]);
    }

    @Test
    void lastReleaseReleasesBytesAndDescriptors() throws Exception {
        UnixMessage message = new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(2));
        message.retain(2);
        assertFalse(message.release());
        assertFalse(message.release());
        assertEquals(2, Descriptors.countOpen(fds(message)));
        assertEquals(1, message.content().refCnt());
        assertTrue(message.release());
        assertEquals(0, Descriptors.countOpen(fds(message)));
        assertEquals(0, message.content().refCnt());
        assertThrows(IllegalReferenceCountException.class, message::release);
    }

    @Test
    void emptyBufferWhichIsNeverReleasedDoesNotKeepTheDescriptors() throws Exception {
        UnixMessage message = new UnixMessage(Unpooled.EMPTY_BUFFER, Descriptors.some(1));
        assertEquals(1, message.refCnt());
        message.retain();
        assertEquals(2, message.refCnt());
        ReferenceCountUtil.release(message);
        assertEquals(1, Descriptors.countOpen(fds(message)));
        assertTrue(message.release());
        assertEquals(0, message.refCnt());
        assertEquals(0, Descriptors.countOpen(fds(message)));
    }

    @Test
    void duplicateSharesDescriptorsAndCount() throws Exception {
        UnixMessage message = new UnixMessage(ChannelPair.buffer("abc"), Descriptors.some(1));
        UnixMessage duplicate = message.duplicate();
        duplicate.content().skipBytes(2);
        assertEquals(3, message.content().readableBytes());
        assertEquals(1, duplicate.refCnt());
        assertSame(message.fileDescriptors(), duplicate.fileDescriptors());

        UnixMessage retained = duplicate.retainedDuplicate();
        assertEquals(2, message.refCnt());
        assertFalse(message.release());
        assertEquals(1, Descriptors.countOpen(fds(retained)));
        assertTrue(retained.release());
        assertEquals(0, Descriptors.countOpen(fds(message)));
        assertEquals(0, duplicate.refCnt());
        Evidence.of("itself", "duplicates of a UnixMessage share its descriptors and its count");
    }

    @Test
    void replacedMessageIsAUnitOfItsOwnThatSharesTheDescriptors() throws Exception {
        UnixMessage message = new UnixMessage(ChannelPair.buffer("first"), Descriptors.some(2)).withCredentials(ME);
        ByteBuf second = ChannelPair.buffer("second");
        UnixMessage other = message.replace(second);
        assertSame(second, other.content());
        assertEquals(ME, other.credentials());
        assertEquals(message.fileDescriptors(), other.fileDescriptors());
        assertEquals(1, other.refCnt());
        assertTrue(message.release());
        assertEquals(0, message.content().refCnt());
        assertEquals(1, second.refCnt());
        assertEquals(2, Descriptors.countOpen(fds(other)));
        assertTrue(other.release());
        assertEquals(0, second.refCnt());
        assertEquals(0, Descriptors.countOpen(fds(message)));
    }

    @Test
    void decoderMayHandOnAReplacedMessage() throws Exception {
        EmbeddedChannel channel = new EmbeddedChannel(new MessageToMessageDecoder<UnixMessage>() {
            @Override
            protected void decode(ChannelHandlerContext ctx, UnixMessage message, List<Object> out) {
                out.add(message.replace(ChannelPair.buffer("decoded")));
            }
        });
        UnixMessage message = new UnixMessage(ChannelPair.buffer("encoded"), Descriptors.some(1));
        channel.writeInbound(message);
        UnixMessage decoded = channel.readInbound();
        assertEquals(1, decoded.refCnt());
        assertEquals("file 0", Descriptors.text(decoded.fileDescriptors().get(0)));
        assertEquals(0, message.content().refCnt());
        assertEquals("decoded", ChannelPair.text(decoded));
        assertEquals(0, Descriptors.countOpen(fds(message)));
        channel.finish();
        Evidence.of("Netty", "a MessageToMessageDecoder hands on a message with other bytes and the same descriptors");
    }

    @Test
    void replaceOfAMessageWithAReleasedDescriptorChangesNothing() throws Exception {
        UnixMessage message = new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3));
        message.fileDescriptors().get(2).release();
        ByteBuf content = ChannelPair.buffer("y");
        assertThrows(IllegalReferenceCountException.class, () -> message.replace(content));
        assertTrue(content.release());
        assertEquals(1, message.fileDescriptors().get(0).refCnt());
        assertThrows(IllegalReferenceCountException.class, message::release);
        assertEquals(0, Descriptors.countOpen(fds(message)));
    }

    @Test
    void messagesAsTheyArriveCanBeMadeByTests() throws Exception {
        List<UnixFileDescriptor> fds = new ArrayList<>(List.of(Descriptors.some(2)));
        UnixMessage message = new UnixMessage(ChannelPair.buffer("x"), fds, ME, Descriptors.some(1)[0], "label");
        fds.clear();
        assertEquals(2, message.fileDescriptors().size());
        assertEquals(ME, message.credentials());
        assertEquals("label", message.securityLabel());
        assertTrue(message.pidFd().isOpen());
        message.release();
        assertFalse(message.pidFd().isOpen());
        UnixDatagramPacket packet =
                new UnixDatagramPacket(ChannelPair.buffer("x"), null, null, List.of(), ME, null, null);
        assertEquals(UnixSocketAddress.unnamed(), packet.sender());
        packet.release();
    }

    @Test
    void copyIsAUnitOfItsOwn() throws Exception {
        UnixMessage message = new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(2)).withCredentials(ME);
        UnixMessage copy = message.copy();
        assertNotSame(message.content(), copy.content());
        assertEquals(ME, copy.credentials());
        assertNotEquals(message.fileDescriptors().get(0).intValue(), copy.fileDescriptors().get(0).intValue());
        assertTrue(message.release());
        assertEquals("x", copy.content().toString(StandardCharsets.UTF_8));
        assertEquals("file 1", Descriptors.text(copy.fileDescriptors().get(1)));
        assertTrue(copy.release());
    }

    @Test
    void copyOfAMessageWithAClosedDescriptorLeavesNothingBehind() throws Exception {
        UnixMessage message = new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3));
        message.fileDescriptors().get(2).close();
        assertThrows(UncheckedIOException.class, message::copy);
        assertEquals(2, Descriptors.countOpen(fds(message)));
        assertTrue(message.release());
    }

    @Test
    void packetsKeepTheirClassAndTheirAddresses() throws Exception {
        UnixSocketAddress recipient = UnixSocketAddress.of("/run/x");
        UnixDatagramPacket packet = new UnixDatagramPacket(ChannelPair.buffer("x"), recipient, Descriptors.some(1));
        List<UnixDatagramPacket> views = List.of(packet.duplicate(), packet.retainedDuplicate(),
                packet.withCredentials(ME), packet.retain(), packet.touch());
        for (UnixDatagramPacket view : views) {
            assertEquals(recipient, view.recipient());
            assertEquals(UnixSocketAddress.unnamed(), view.sender());
            assertEquals(3, view.refCnt());
        }
        UnixDatagramPacket replaced = packet.replace(ChannelPair.buffer("y"));
        assertEquals(recipient, replaced.recipient());
        assertTrue(replaced.release());
        UnixDatagramPacket copy = packet.copy();
        assertEquals(recipient, copy.recipient());
        assertTrue(copy.release());
        assertTrue(packet.release(3));
    }

    @Test
    void descriptorsCannotBeTakenOutOfTheList() throws Exception {
        UnixMessage message = new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(1));
        assertThrows(UnsupportedOperationException.class, () -> message.fileDescriptors().remove(0));
        message.release();
    }
}
