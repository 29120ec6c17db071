package io.github.nettyunix;

import io.netty.channel.ConnectTimeoutException;

/** A connect that waited too long for room in the server's backlog. */
final class UnixConnectTimeoutException extends ConnectTimeoutException implements UnixErrors.Detailed {
    private static final long serialVersionUID = 1;
    private final UnixErrors.Details details;

    UnixConnectTimeoutException(UnixErrors.Details details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public UnixErrors.Details details() {
        return details;
    }
}
