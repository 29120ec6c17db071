package io.github.nettyunix;

import java.nio.channels.NotYetConnectedException;

/** An operation that needs a peer, on a socket without one. */
final class UnixNotYetConnectedException extends NotYetConnectedException implements UnixErrors.Detailed {
    private static final long serialVersionUID = 1;
    private final UnixErrors.Details details;

    UnixNotYetConnectedException(UnixErrors.Details details) {
        this.details = details;
    }

    @Override
    public String getMessage() {
        return details.message();
    }

    @Override
    public UnixErrors.Details details() {
        return details;
    }
}
