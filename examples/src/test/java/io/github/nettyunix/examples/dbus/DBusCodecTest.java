package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

/** What no bus on this machine sends: messages in the other byte order, in pieces, and malformed ones. */
class DBusCodecTest {
    private final FileDescriptorQueueHandler arrived = new FileDescriptorQueueHandler();
    private final EmbeddedChannel channel = new EmbeddedChannel(arrived, new DBusDecoder(arrived), new DBusEncoder());

    /** Returns a call of Take with descriptor 0 of this many, as a big-endian machine writes it. */
    private static ByteBuf bigEndianCall(int descriptors) {
        ByteBuf message = Unpooled.buffer().writeBytes(new byte[] {'B', 1, 0, 1}).writeInt(4).writeInt(7).writeInt(0);
        field(message, 1, 'o').writeInt(2).writeBytes("/x\0".getBytes(StandardCharsets.UTF_8));
        field(message, 3, 's').writeInt(4).writeBytes("Take\0".getBytes(StandardCharsets.UTF_8));
        // A field of a future specification.
        field(message, 77, 'u').writeInt(1);
        field(message, 8, 'g').writeBytes("\1h\0".getBytes(StandardCharsets.UTF_8));
        field(message, 9, 'u').writeInt(descriptors);
        message.setInt(12, message.writerIndex() - 16);
        Values.pad(message, 8);
        return message.writeInt(0);
    }

    private static ByteBuf field(ByteBuf message, int code, char type) {
        Values.pad(message, 8);
        return message.writeByte(code).writeByte(1).writeByte(type).writeByte(0);
    }

    @Test
    void theOtherByteOrderInSingleBytesIsUnderstood() throws Exception {
        ByteBuf bytes = bigEndianCall(1);
        UnixFileDescriptor file = UnixFileDescriptor.open(Path.of("/dev/null"));
        channel.writeInbound(new UnixMessage(bytes.readRetainedSlice(1), file));
        while (bytes.isReadable()) {
            assertNull(channel.readInbound());
            channel.writeInbound(new UnixMessage(bytes.readRetainedSlice(1)));
        }
        bytes.release();
        DBusMessage message = channel.readInbound();
        assertEquals(DBusMessage.Type.METHOD_CALL, message.type());
        assertEquals(7, message.serial());
        assertEquals(Map.of(HeaderField.PATH, "/x", HeaderField.MEMBER, "Take", HeaderField.SIGNATURE, "h",
                HeaderField.UNIX_FDS, 1), message.fields());
        assertEquals(List.of(file), message.body());
        message.release();
        assertFalse(file.isOpen());
    }

    @Test
    void whatIsWrittenIsReadAgain() {
        DBusMessage message = DBusMessage.of(DBusMessage.Type.METHOD_CALL, 9, Map.of(HeaderField.MEMBER, "M\u00e4h"),
                "sugt", "text \u20ac", -1, "ht", Long.MIN_VALUE);
        channel.writeOutbound(message);
        channel.writeInbound((UnixMessage) channel.readOutbound());
        DBusMessage read = channel.readInbound();
        assertEquals("M\u00e4h", read.text(HeaderField.MEMBER));
        assertEquals(List.of("text \u20ac", -1, "ht", Long.MIN_VALUE), read.body());
        read.release();
    }

    @Test
    void aMessageThatLiesAboutItsDescriptorsIsAnErrorAndClosesThem() throws Exception {
        UnixFileDescriptor file = UnixFileDescriptor.open(Path.of("/dev/null"));
        assertThrows(DecoderException.class, () -> channel.writeInbound(new UnixMessage(bigEndianCall(2), file)));
        channel.close();
        assertFalse(file.isOpen());
    }
}
