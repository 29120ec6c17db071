package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.errors.ErrorDetails;
import io.github.nettyunix.internal.errors.MessageOrigin;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;

import java.io.IOException;
import java.net.SocketAddress;

/**
 * Thrown if control data of a message was lost: the message had more descriptors than
 * {@link UnixSocketOption#MAX_FILE_DESCRIPTORS_PER_MESSAGE}, the process has reached its limit of descriptors
 * (RLIMIT_NOFILE), which may affect the sender's pidfd too, or the sender's security label was too long. The
 * descriptors that had arrived have been closed. Raised once through
 * {@link io.netty.channel.ChannelInboundHandler#exceptionCaught}. A stream channel then closes, because its descriptors
 * no longer match its bytes; other channels drop the message and continue.
 */
public final class ControlDataTruncatedException extends IOException implements UnixSocketError {
    private static final long serialVersionUID = 1;

    /** The details that the interface reports. */
    private final ErrorDetails details;
    /** The sender of the message. */
    private final MessageOrigin origin;

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
        this(type, address, maxFds, MessageOrigin.of(sender, credentials));
    }

    private ControlDataTruncatedException(SocketType type, SocketAddress address, int maxFds, MessageOrigin origin) {
        this(details(type, address, "descriptors or the sender's pidfd or label were lost:"
                + " MAX_FILE_DESCRIPTORS_PER_MESSAGE is " + maxFds + ", and RLIMIT_NOFILE has to leave room for them"
                + origin), origin);
    }

    private ControlDataTruncatedException(ErrorDetails details, MessageOrigin origin) {
        super(details.message());
        this.details = details;
        this.origin = origin;
    }

    private static ErrorDetails details(SocketType type, SocketAddress address, String hint) {
        // In a test of a handler, no channel may have loaded the library.
        NativeTransport.ensureAvailability();
        return new ErrorDetails(Operation.READ, type, address, Errno.EMSGSIZE, hint);
    }

    /**
     * Returns the message's sender.
     *
     * @return the sender's address on a datagram channel, {@link UnixSocketAddress#unnamed()} if it has none;
     *         {@code null} on a connection, whose peer is the sender
     */
    public UnixSocketAddress sender() {
        return origin.sender();
    }

    /**
     * Returns the credentials of the message's sender, as the kernel reports them.
     *
     * @return the credentials, {@code null} unless {@link UnixSocketOption#SO_PASSCRED} is on
     */
    public UnixCredentials credentials() {
        return origin.credentials();
    }

    @Override
    public String operation() {
        return details.operationText();
    }

    @Override
    public SocketType socketType() {
        return details.socketType();
    }

    @Override
    public SocketAddress address() {
        return details.address();
    }

    @Override
    public int errno() {
        return details.errno();
    }

    @Override
    public String errnoName() {
        return details.errnoName();
    }
}
