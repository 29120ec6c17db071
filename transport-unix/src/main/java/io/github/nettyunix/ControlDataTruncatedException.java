package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;

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

    /** What the interface reports. */
    private final UnixErrors.Details details;
    /** Whose message it was. */
    private final UnixErrors.Origin origin;

    ControlDataTruncatedException(SocketType type, SocketAddress address, int maxFds, UnixErrors.Origin origin) {
        this(new UnixErrors.Details("read", type, address, Errno.EMSGSIZE,
                "descriptors or the sender's pidfd or label were lost: MAX_FILE_DESCRIPTORS_PER_MESSAGE is " + maxFds
                + ", and RLIMIT_NOFILE has to leave room for them" + origin), origin);
    }

    private ControlDataTruncatedException(UnixErrors.Details details, UnixErrors.Origin origin) {
        super(details.message());
        this.details = details;
        this.origin = origin;
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
        return details.operation();
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
