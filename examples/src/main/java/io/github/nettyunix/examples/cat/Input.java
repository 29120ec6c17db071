package io.github.nettyunix.examples.cat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.io.IOException;
import java.io.InputStream;

/** Reads standard input in pieces: as they arrive for a stream, line by line with the newline for records. */
final class Input {
    private static final int MAX_LENGTH = 65536;

    private final InputStream in = System.in;
    private final boolean lines;
    private final byte[] piece = new byte[MAX_LENGTH];

    Input(boolean lines) {
        this.lines = lines;
    }

    /** Returns the next piece; {@code null} at the end. */
    ByteBuf next() throws IOException {
        int length = lines ? readLine() : in.read(piece);
        return length <= 0 ? null : Unpooled.copiedBuffer(piece, 0, length);
    }

    /** Reads a line, or as much of it as a record may have. */
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
