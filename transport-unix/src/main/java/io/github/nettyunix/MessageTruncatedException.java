package io.github.nettyunix;

import io.github.nettyunix.internal.errors.MessageOrigin;

import java.net.SocketAddress;

/**
 * Thrown if a record was longer than {@link UnixSocketOption#MAX_MESSAGE_SIZE}. The record has been dropped and its
 * descriptors have been closed; the channel continues with the next one. Raised through
 * {@link io.netty.channel.ChannelInboundHandler#exceptionCaught}.
 */
public final class MessageTruncatedException extends AbstractTruncatedException {
    private static final long serialVersionUID = 1;

    /** The length of the dropped record. */
    private final int messageSize;
    /** The limit. */
    private final int maxMessageSize;

    /**
     * Creates an exception like those that a channel raises, for tests of handlers.
     *
     * @param type the type of the socket
     * @param address the channel's peer, or its own address; may be {@code null}
     * @param messageSize the length of the record
     * @param maxMessageSize the limit
     * @param sender see {@link #sender()}; may be {@code null}
     * @param credentials see {@link #credentials()}; may be {@code null}
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public MessageTruncatedException(SocketType type, SocketAddress address, int messageSize, int maxMessageSize,
            UnixSocketAddress sender, UnixCredentials credentials) {
        super(type, address, "a record of " + messageSize + " bytes was dropped, MAX_MESSAGE_SIZE is " + maxMessageSize,
                MessageOrigin.of(sender, credentials));
        this.messageSize = messageSize;
        this.maxMessageSize = maxMessageSize;
    }

    /**
     * Returns the length of the record that was dropped. On platforms whose kernel does not report it, such as macOS,
     * this is only a lower bound.
     *
     * @return the number of bytes
     */
    public int messageSize() {
        return messageSize;
    }

    /**
     * Returns the limit that the record exceeded.
     *
     * @return the number of bytes
     */
    public int maxMessageSize() {
        return maxMessageSize;
    }
}
