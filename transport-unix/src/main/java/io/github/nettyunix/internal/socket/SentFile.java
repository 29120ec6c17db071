package io.github.nettyunix.internal.socket;

import io.netty.channel.DefaultFileRegion;
import io.netty.channel.FileRegion;

import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;

/**
 * A file whose bytes the kernel itself writes to a socket. See sendfile(2).
 *
 * <p>The number of a file's descriptor is in a field of the JDK. While it is in use, the channel's own lock is held,
 * under which the JDK closes it, so that the number cannot become another file's.
 */
public final class SentFile {
    /** In a class of its own, since a native method cannot be called before this class is initialized. */
    private static final class Fields {
        static final boolean FOUND = findFields(DefaultFileRegion.class) == 0;
    }

    /** Whether a class transfers bytes in a way of its own, for example slowly or encrypted. */
    private static final ClassValue<Boolean> TRANSFERS_OTHERWISE = new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            try {
                return type.getMethod("transferTo", WritableByteChannel.class, long.class).getDeclaringClass()
                        != DefaultFileRegion.class;
            } catch (NoSuchMethodException e) {
                return true;
            }
        }
    };

    private final DefaultFileRegion region;
    private final FileChannel channel;
    private final Object lock;
    private final FileDescriptor descriptor;

    private SentFile(DefaultFileRegion region, FileChannel channel, Object lock, FileDescriptor descriptor) {
        this.region = region;
        this.channel = channel;
        this.lock = lock;
        this.descriptor = descriptor;
    }

    /**
     * Opens the file of a region.
     *
     * @return {@code null} if its bytes have to be copied by {@link FileRegion#transferTo}
     * @throws IOException if the file cannot be opened
     */
    public static SentFile open(FileRegion region) throws IOException {
        if (!(region instanceof DefaultFileRegion file)
                || TRANSFERS_OTHERWISE.get(region.getClass()) || !Fields.FOUND) {
            return null;
        }
        file.open();
        Object[] parts = new Object[3];
        return openFile(file, parts) < 0 ? null
                : new SentFile(file, (FileChannel) parts[0], parts[1], (FileDescriptor) parts[2]);
    }

    /**
     * Sends up to {@code most} bytes of what has not been transferred yet.
     *
     * @return how many were sent, 0 at the end of the file, -EOPNOTSUPP if the bytes have to be copied, or another
     *         negative errno; -EBADF if the file is closed
     */
    public long send(UnixSocket socket, long most) {
        long transferred = region.transferred();
        synchronized (lock) {
            return !channel.isOpen() ? -Errno.EBADF : sendFile(socket.intValue(), region, descriptor,
                    region.position() + transferred, Math.min(most, region.count() - transferred));
        }
    }

    public boolean isOpen() {
        return channel.isOpen();
    }

    /** The size of the file now. */
    public long size() throws IOException {
        return channel.size();
    }

    private static native int findFields(Class<?> region);

    private static native int openFile(Object region, Object[] parts);

    private static native long sendFile(int socket, Object region, FileDescriptor file, long offset, long count);
}
