package io.github.nettyunix.internal.endpoint;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Converts between the bytes of a socket's name and text: UTF-8, with a separate character for each byte that is not
 * valid.
 */
public final class NameEncoding {
    private NameEncoding() {
    }

    /** Returns the text of a name; each byte that is not part of UTF-8 text becomes one of U+DC80 to U+DCFF. */
    public static String decode(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        var decoder = StandardCharsets.UTF_8.newDecoder();
        while (in.hasRemaining()) {
            out.clear();
            boolean malformed = decoder.reset().decode(in, out, true).isError();
            text.append(out.flip());
            if (malformed) {
                text.append((char) (0xDC00 + (in.get() & 0xFF)));
            }
        }
        return text.toString();
    }

    /**
     * Returns the name that a text stands for.
     *
     * @throws IllegalArgumentException if it has a surrogate that stands for no byte
     */
    public static byte[] encode(String text) {
        ByteBuffer out = ByteBuffer.allocate(text.length() * 3);
        var encoder = StandardCharsets.UTF_8.newEncoder();
        CharBuffer in = CharBuffer.wrap(text);
        while (in.hasRemaining()) {
            if (encoder.reset().encode(in, out, true).isError()) {
                char c = in.get();
                if (c < 0xDC80 || c > 0xDCFF) {
                    throw new IllegalArgumentException("not a name, it has an unpaired surrogate: " + text);
                }
                out.put((byte) c);
            }
        }
        return Arrays.copyOf(out.array(), out.position());
    }
}
