package io.github.nettyunix.handler;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Admits descriptors of certain types only. Add it before the handlers that take descriptors:
 * <pre>{@code
 * channel.pipeline().addFirst(new FileDescriptorTypeHandler(UnixFileDescriptor.Type.MEMFD));
 * }</pre>
 *
 * <p>A message with any other descriptor is released, which closes all of its descriptors, and one
 * {@link FileDescriptorRefusedException} is raised. A stream channel then closes, because bytes are missing; other
 * channels continue with the next message. The pidfd of a message's sender is not checked, because it comes from the
 * kernel. Netty's plain {@link FileDescriptor}s, which a stream delivers with
 * {@link io.netty.channel.unix.DomainSocketReadMode#FILE_DESCRIPTORS}, are treated alike.
 *
 * <p>A handler can be shared by many channels.
 */
@Sharable
public final class FileDescriptorTypeHandler extends FileDescriptorFilter {
    private final Set<UnixFileDescriptor.Type> allowed = EnumSet.noneOf(UnixFileDescriptor.Type.class);

    /**
     * Creates a handler.
     *
     * @param allowed the types to admit; if empty, no descriptor is admitted
     */
    public FileDescriptorTypeHandler(UnixFileDescriptor.Type... allowed) {
        this.allowed.addAll(Arrays.asList(allowed));
    }

    @Override
    IOException refusal(List<? extends FileDescriptor> fds, FileDescriptor pidFd) {
        IOException refusal = null;
        for (int i = 0; refusal == null && i < fds.size(); i++) {
            refusal = refusal(fds.get(i));
        }
        return refusal;
    }

    private IOException refusal(FileDescriptor fd) {
        try {
            UnixFileDescriptor.Type type = typeOf(fd);
            return allowed.contains(type) ? null
                    : new FileDescriptorRefusedException("a descriptor of type " + type + " came in, allowed are "
                    + allowed);
        } catch (IOException e) {
            return e;
        }
    }

    private static UnixFileDescriptor.Type typeOf(FileDescriptor fd) throws IOException {
        if (fd instanceof UnixFileDescriptor ours) {
            return ours.type();
        }
        try (UnixFileDescriptor duplicate = UnixFileDescriptor.dup(fd)) {
            return duplicate.type();
        }
    }
}
