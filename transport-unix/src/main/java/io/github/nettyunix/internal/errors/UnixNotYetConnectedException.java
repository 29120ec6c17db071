package io.github.nettyunix.internal.errors;

import java.nio.channels.NotYetConnectedException;

/** An operation that needs a peer, on a socket without one. */
public final class UnixNotYetConnectedException extends NotYetConnectedException implements HasDetails {
    private static final long serialVersionUID = 1;
    private final ErrorDetails details;

    UnixNotYetConnectedException(ErrorDetails details) {
        this.details = details;
    }

    @Override
    public String getMessage() {
        return details.message();
    }

    @Override
    public ErrorDetails details() {
        return details;
    }
}
