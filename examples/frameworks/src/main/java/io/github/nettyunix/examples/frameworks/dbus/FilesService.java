package io.github.nettyunix.examples.frameworks.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.buffer.Unpooled;
import org.freedesktop.dbus.FileDescriptor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;

/** The service. dbus-java duplicates what it sends, and does not close what it has received. */
public final class FilesService implements Files {
    // Open until the next call, because dbus-java sends it after the method has returned.
    private UnixFileDescriptor result;

    @Override
    public synchronized FileDescriptor twice(FileDescriptor file) {
        UnixFileDescriptor received = UnixFileDescriptor.adopt(file.getIntFileDescriptor());
        try (FileChannel content = received.toFileChannel(StandardOpenOption.READ)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) content.size() * 2);
            content.read(bytes, 0);
            content.read(bytes, 0);
            close();
            result = UnixFileDescriptor.memfd("twice", Unpooled.wrappedBuffer(bytes.flip()));
            return new FileDescriptor(result.intValue());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            received.release();
        }
    }

    public synchronized void close() {
        if (result != null) {
            result.release();
            result = null;
        }
    }

    @Override
    public String echo(String text) {
        return text;
    }

    @Override
    public String getObjectPath() {
        return "/files";
    }
}
