package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.errors.ErrorDetails;
import io.github.nettyunix.internal.errors.MessageOrigin;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;

import java.io.IOException;
import java.net.SocketAddress;

/** A message, or a part of one, was lost because of a limit. The errno is EMSGSIZE. */
abstract class AbstractTruncatedException extends IOException implements UnixSocketError {
    private static final long serialVersionUID = 1;

    /** The details that the interface reports. */
    private final ErrorDetails details;
    /** The sender of the message. */
    private final MessageOrigin origin;

    AbstractTruncatedException(SocketType type, SocketAddress address, String hint, MessageOrigin origin) {
        this(details(type, address, hint + origin), origin);
    }

    private AbstractTruncatedException(ErrorDetails details, MessageOrigin origin) {
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
     * Returns the sender of the message.
     *
     * @return the sender's address on a datagram channel, {@link UnixSocketAddress#unnamed()} if it has none;
     *         {@code null} on a connection, whose peer is the sender
     */
    public UnixSocketAddress sender() {
        return origin.sender();
    }

    /**
     * Returns the credentials of the sender, as the kernel reports them.
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
