package io.github.nettyunix;

import io.github.nettyunix.internal.errors.MessageOrigin;

import java.net.SocketAddress;

/**
 * Thrown if control data of a message was lost: the message had more descriptors than
 * {@link UnixSocketOption#MAX_FILE_DESCRIPTORS_PER_MESSAGE}, the process has reached its limit of descriptors
 * (RLIMIT_NOFILE), which may affect the sender's pidfd too, or the sender's security label was too long. The
 * descriptors that had arrived have been closed. Raised once through
 * {@link io.netty.channel.ChannelInboundHandler#exceptionCaught}. A stream channel then closes, because its descriptors
 * no longer match its bytes; other channels drop the message and continue.
 */
public final class ControlDataTruncatedException extends AbstractTruncatedException {
    private static final long serialVersionUID = 1;

    /**
     * Creates an exception like those that a channel raises, for tests of handlers.
     *
     * @param type the type of the socket
     * @param address the channel's peer, or its own address; may be {@code null}
     * @param maxFds the limit of descriptors per message
     * @param sender see {@link #sender()}; may be {@code null}
     * @param credentials see {@link #credentials()}; may be {@code null}
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public ControlDataTruncatedException(SocketType type, SocketAddress address, int maxFds, UnixSocketAddress sender,
            UnixCredentials credentials) {
        super(type, address, "descriptors or the sender's pidfd or label were lost:"
                + " MAX_FILE_DESCRIPTORS_PER_MESSAGE is " + maxFds + ", and RLIMIT_NOFILE has to leave room for them",
                MessageOrigin.of(sender, credentials));
    }
}
