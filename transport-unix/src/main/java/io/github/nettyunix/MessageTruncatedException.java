package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.errors.ErrorDetails;
import io.github.nettyunix.internal.errors.MessageOrigin;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;

import java.io.IOException;
import java.net.SocketAddress;

/**
 * Thrown if a record was longer than {@link UnixSocketOption#MAX_MESSAGE_SIZE}. The record has been dropped and its
 * descriptors have been closed; the channel continues with the next one. Raised through
 * {@link io.netty.channel.ChannelInboundHandler#exceptionCaught}.
 */
public final class MessageTruncatedException extends IOException implements UnixSocketError {
    private static final long serialVersionUID = 1;

    /** The details that the interface reports. */
    private final ErrorDetails details;
    /** The length of the dropped record. */
    private final int messageSize;
    /** The limit. */
    private final int maxMessageSize;
    /** The sender of the record. */
    private final MessageOrigin origin;

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
        this(type, address, messageSize, maxMessageSize, MessageOrigin.of(sender, credentials));
    }

    private MessageTruncatedException(SocketType type, SocketAddress address, int messageSize, int maxMessageSize,
                              MessageOrigin origin) {
        this(details(type, address, "a record of " + messageSize + " bytes was dropped, MAX_MESSAGE_SIZE is "
                + maxMessageSize + origin), messageSize, maxMessageSize, origin);
    }

    private MessageTruncatedException(ErrorDetails details, int messageSize, int maxMessageSize,
                                      MessageOrigin origin) {
        super(details.message());
        this.details = details;
        this.messageSize = messageSize;
        this.maxMessageSize = maxMessageSize;
        this.origin = origin;
    }

    private static ErrorDetails details(SocketType type, SocketAddress address, String hint) {
        // In a test of a handler, no channel may have loaded the library.
        NativeTransport.ensureAvailability();
        return new ErrorDetails(Operation.READ, type, address, Errno.EMSGSIZE, hint);
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

    /**
     * Returns the sender of the record.
     *
     * @return the sender's address on a datagram channel, {@link UnixSocketAddress#unnamed()} if it has none;
     *         {@code null} on a connection, whose peer is the sender
     */
    public UnixSocketAddress sender() {
        return origin.sender();
    }

    /**
     * Returns the credentials of the record's sender, as the kernel reports them.
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
