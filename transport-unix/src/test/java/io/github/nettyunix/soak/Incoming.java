package io.github.nettyunix.soak;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.netty.buffer.ByteBuf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

import static io.github.nettyunix.soak.Traffic.FILES;
import static io.github.nettyunix.soak.Traffic.HEADER;
import static io.github.nettyunix.soak.Traffic.SIZE;

/** Checks that what one peer sends is message after message, each with its file. */
class Incoming {
    private final byte[] message = new byte[SIZE];
    private final ByteBuffer header = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    private int length;
    private int descriptors;
    private volatile int number;

    /** Takes what was received, on a stream perhaps a part of a message; returns how many are complete with it. */
    final int add(UnixMessage received) throws IOException {
        int before = number;
        try {
            for (UnixFileDescriptor fd : received.fileDescriptors()) {
                check(fd.size() == descriptors % FILES, "descriptor");
                descriptors++;
            }
            ByteBuf content = received.content();
            while (content.isReadable()) {
                int part = Math.min(SIZE - length, content.readableBytes());
                content.readBytes(message, length, part);
                length += part;
                if (length == SIZE) {
                    checkMessage();
                    length = 0;
                    number++;
                }
            }
            // They arrive with their byte or with an earlier one.
            check(descriptors >= number, "missing descriptor");
        } finally {
            received.release();
        }
        return number - before;
    }

    private void checkMessage() throws IOException {
        check(header.getInt(4) == number, "number " + header.getInt(4));
        for (int i = HEADER; i < SIZE; i++) {
            check(message[i] == (byte) number, "content");
        }
    }

    private void check(boolean condition, String what) throws IOException {
        if (!condition) {
            throw new IOException("message " + number + ": wrong " + what);
        }
    }

    /** Of the peer that has sent the last message. */
    final int index() {
        return header.getInt(0);
    }

    final int pid() {
        return header.getInt(8);
    }

    /** How many messages have arrived. */
    final int count() {
        return number;
    }
}
