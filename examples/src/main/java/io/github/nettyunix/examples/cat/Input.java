package io.github.nettyunix.examples.cat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.io.IOException;
import java.io.InputStream;

/** Standard input in pieces: for a stream as they come, for records by line, each with its newline. */
final class Input {
    private static final int MAX_LENGTH = 65536;

    private final InputStream in = System.in;
    private final boolean lines;
    private final byte[] piece = new byte[MAX_LENGTH];

    Input(boolean lines) {
        this.lines = lines;
    }

    /** The next piece; {@code null} at the end. */
    ByteBuf next() throws IOException {
        int length = lines ? readLine() : in.read(piece);
        return length <= 0 ? null : Unpooled.copiedBuffer(piece, 0, length);
    }

    /** A line, or as much of it as a record may have. */
    private int readLine() throws IOException {
        int length = 0;
        for (int b; length < MAX_LENGTH && (b = in.read()) >= 0;) {
            piece[length++] = (byte) b;
            if (b == '\n') {
                break;
            }
        }
        return length;
    }
}
