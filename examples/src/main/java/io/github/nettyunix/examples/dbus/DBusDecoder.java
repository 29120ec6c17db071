package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Decodes messages, and takes as many descriptors as the header states. */
final class DBusDecoder extends ByteToMessageDecoder {
    /** The length of the header up to its fields. */
    private static final int FIXED_LENGTH = 16;
    private static final int MAX_LENGTH = 1 << 27;

    private final FileDescriptorQueueHandler arrived;

    DBusDecoder(FileDescriptorQueueHandler arrived) {
        this.arrived = arrived;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (in.readableBytes() < FIXED_LENGTH) {
            return;
        }
        ByteBuf start = in.slice(in.readerIndex(), FIXED_LENGTH);
        boolean littleEndian = start.readByte() == 'l';
        long bodyLength = unsigned(start.readerIndex(4), littleEndian);
        long fieldsLength = unsigned(start.readerIndex(12), littleEndian);
        long length = FIXED_LENGTH + (fieldsLength + 7 & ~7) + bodyLength;
        if (length > MAX_LENGTH) {
            throw new TooLongFrameException("a message of " + length + " bytes");
        }
        if (in.readableBytes() >= length) {
            out.add(decode(in.readSlice((int) length), littleEndian, (int) fieldsLength));
        }
    }

    private DBusMessage decode(ByteBuf message, boolean littleEndian, int fieldsLength) {
        int type = message.getUnsignedByte(1);
        int flags = message.getUnsignedByte(2);
        int serial = (int) unsigned(message.readerIndex(8), littleEndian);
        message.readerIndex(FIXED_LENGTH);
        Map<HeaderField, Object> fields = new EnumMap<>(HeaderField.class);
        while (message.readerIndex() < FIXED_LENGTH + fieldsLength) {
            Values.align(message, 8);
            HeaderField field = HeaderField.of(message.readUnsignedByte());
            String signature = (String) Values.read(message, littleEndian, 'g');
            if (field != null && !signature.equals(String.valueOf(field.type)) || signature.length() != 1) {
                throw new DecoderException("a header field " + field + " of type " + signature);
            }
            Object value = Values.read(message, littleEndian, signature.charAt(0));
            if (field != null) {
                fields.put(field, value);
            }
        }
        Values.align(message, 8);
        // Take the descriptors before retaining the body: this throws if the sender has announced the wrong number.
        UnixFileDescriptor[] fds = arrived.take((int) fields.getOrDefault(HeaderField.UNIX_FDS, 0));
        DBusMessage.Type[] types = DBusMessage.Type.values();
        return new DBusMessage(types[type < types.length ? type : 0], flags, serial, fields, littleEndian,
                message.slice().retain(), fds);
    }

    private static long unsigned(ByteBuf in, boolean littleEndian) {
        return Integer.toUnsignedLong((int) Values.read(in, littleEndian, 'u'));
    }
}
