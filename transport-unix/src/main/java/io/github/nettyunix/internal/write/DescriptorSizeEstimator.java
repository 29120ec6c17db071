package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixMessage;
import io.netty.buffer.ByteBuf;
import io.netty.channel.DefaultMessageSizeEstimator;
import io.netty.channel.MessageSizeEstimator;
import io.netty.channel.unix.FileDescriptor;

/**
 * Adds a charge for descriptors to Netty's default estimate, so that a channel's writability limits how many are in its
 * queue.
 */
public final class DescriptorSizeEstimator implements MessageSizeEstimator {
    public static final MessageSizeEstimator DEFAULT = new DescriptorSizeEstimator();

    /** With the default watermark, 128 waiting descriptors make a channel unwritable. */
    private static final int BYTES_PER_DESCRIPTOR = 512;

    private final Handle handle = new Handle() {
        private final MessageSizeEstimator.Handle bytes = DefaultMessageSizeEstimator.DEFAULT.newHandle();

        @Override
        public int size(Object message) {
            // The most frequent first, and by its class: to find that it lacks an interface costs much more.
            if (message instanceof ByteBuf buffer) {
                return buffer.readableBytes();
            }
            if (message instanceof OutboundDatagram datagram) {
                return size(datagram.message());
            }
            if (message instanceof UnixMessage unixMessage) {
                return unixMessage.content().readableBytes()
                        + unixMessage.fileDescriptors().size() * BYTES_PER_DESCRIPTOR;
            }
            return message instanceof FileDescriptor ? BYTES_PER_DESCRIPTOR : bytes.size(message);
        }
    };

    private DescriptorSizeEstimator() {
    }

    @Override
    public Handle newHandle() {
        return handle;
    }
}
