package io.github.nettyunix.internal.socket;

import io.netty.channel.unix.FileDescriptor;

/**
 * A plain descriptor that a peer has sent. Closing it never blocks, whatever it refers to: see
 * {@link DescriptorCloser}.
 */
public final class ReceivedFileDescriptor extends FileDescriptor {
    public ReceivedFileDescriptor(int fd) {
        super(fd);
    }

    @Override
    public void close() {
        if (markClosed()) {
            DescriptorCloser.close(intValue());
        }
    }
}
