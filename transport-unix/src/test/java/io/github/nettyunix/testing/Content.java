package io.github.nettyunix.testing;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.ReferenceCountUtil;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What is in messages and in files. */
public final class Content {
    private static final int CLOEXEC = 02000000;

    private Content() {
    }

    /** Returns the bytes of a message of any class, and releases it. */
    public static byte[] take(Object message) {
        if (message instanceof Throwable cause) {
            throw new AssertionError("expected a message", cause);
        }
        try {
            return bytes(message instanceof ByteBufHolder holder ? holder.content() : (ByteBuf) message);
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    public static byte[] bytes(ByteBuf buffer) {
        return ByteBufUtil.getBytes(buffer);
    }

    public static ByteBuf of(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }

    public static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Returns a file that contains a text. */
    public static UnixFileDescriptor labelled(String text) throws IOException {
        ByteBuf content = of(text);
        try {
            return UnixFileDescriptor.memfd(text, content);
        } finally {
            content.release();
        }
    }

    /** Returns the text in a pipe or a file, from its position to its end. */
    public static String label(UnixFileDescriptor fd) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(100);
        try (FileChannel file = fd.toFileChannel(StandardOpenOption.READ)) {
            while (file.read(text) > 0) {
                Thread.onSpinWait();
            }
        }
        return StandardCharsets.UTF_8.decode(text.flip()).toString();
    }

    public static boolean isCloseOnExec(FileDescriptor fd) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd.intValue()))) {
            if (line.startsWith("flags:")) {
                return (Integer.parseInt(line.substring(6).trim(), 8) & CLOEXEC) != 0;
            }
        }
        throw new AssertionError("no flags");
    }
}
