package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;

import java.io.IOException;
import java.net.SocketAddress;

/**
 * Descriptors of a message were lost: there were more of them than
 * {@link UnixSocketOption#MAX_FILE_DESCRIPTORS_PER_MESSAGE}, or this process has no more room for descriptors
 * (RLIMIT_NOFILE), which may cost the sender's pidfd too; or the sender's security label was too long. Those that had arrived have been closed. Raised once through
 * {@link io.netty.channel.ChannelInboundHandler#exceptionCaught}; a stream channel closes then, since its descriptors no longer
 * match its bytes, the others drop the message and go on.
 */
public final class ControlDataTruncatedException extends IOException implements UnixSocketError {
    private static final long serialVersionUID = 1;

    /** What the interface tells. */
    private final UnixErrors.Details details;

    ControlDataTruncatedException(SocketType type, SocketAddress address, int maxFds) {
        this(new UnixErrors.Details("read", type, address, Errno.EMSGSIZE, "descriptors or the sender's pidfd or label were lost: MAX_FILE_DESCRIPTORS_PER_MESSAGE is "
                + maxFds + ", and RLIMIT_NOFILE has to leave room for them"));
    }

    private ControlDataTruncatedException(UnixErrors.Details details) {
        super(details.message());
        this.details = details;
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
