package io.github.nettyunix.examples.dbus;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.DecoderException;

import java.nio.charset.StandardCharsets;

/**
 * How values are written: each at a multiple of its own size, counted from the start of the buffer. Only the types that
 * this example needs: strings (s), object paths (o), signatures (g), unsigned numbers of 32 (u) and 64 bits (t), and
 * the indexes of descriptors (h).
 */
final class Values {
    private Values() {
    }

    static Object read(ByteBuf in, boolean littleEndian, char type) {
        switch (type) {
            case 'u', 'h' -> {
                align(in, Integer.BYTES);
                return littleEndian ? in.readIntLE() : in.readInt();
            }
            case 't' -> {
                align(in, Long.BYTES);
                return littleEndian ? in.readLongLE() : in.readLong();
            }
            case 's', 'o' -> {
                return readText(in, (int) read(in, littleEndian, 'u'));
            }
            case 'g' -> {
                return readText(in, in.readUnsignedByte());
            }
            default -> throw new DecoderException("a value of type " + type + ", which this example does not know");
        }
    }

    private static String readText(ByteBuf in, int length) {
        String text = in.readCharSequence(length, StandardCharsets.UTF_8).toString();
        in.skipBytes(1);
        return text;
    }

    /** In little-endian order. */
    static void write(ByteBuf out, char type, Object value) {
        switch (type) {
            case 'u', 'h' -> {
                pad(out, Integer.BYTES);
                out.writeIntLE((int) value);
            }
            case 't' -> {
                pad(out, Long.BYTES);
                out.writeLongLE((long) value);
            }
            case 's', 'o' -> {
                String text = (String) value;
                write(out, 'u', ByteBufUtil.utf8Bytes(text));
                out.writeCharSequence(text, StandardCharsets.UTF_8);
                out.writeZero(1);
            }
            case 'g' -> {
                String signature = (String) value;
                out.writeByte(signature.length());
                out.writeCharSequence(signature, StandardCharsets.US_ASCII);
                out.writeZero(1);
            }
            default -> throw new IllegalArgumentException("a value of type " + type);
        }
    }

    static void align(ByteBuf in, int size) {
        in.skipBytes(-in.readerIndex() & size - 1);
    }

    static void pad(ByteBuf out, int size) {
        out.writeZero(-out.writerIndex() & size - 1);
    }
}
