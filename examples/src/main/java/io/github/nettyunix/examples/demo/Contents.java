package io.github.nettyunix.examples.demo;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What is in an open file, and what stands for it. */
final class Contents {
    private Contents() {
    }

    /** All of a short text file. It is read by position: the file's offset is the same in both processes. */
    static String read(UnixFileDescriptor file) throws IOException {
        try (FileChannel channel = file.toFileChannel(StandardOpenOption.READ)) {
            int size = Math.toIntExact(channel.size());
            ByteBuf content = Unpooled.buffer(size, size);
            while (content.isWritable()) {
                if (content.writeBytes(channel, content.writerIndex(), content.writableBytes()) < 0) {
                    throw new EOFException();
                }
            }
            return content.toString(StandardCharsets.UTF_8);
        }
    }

    static String digest(String content) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
