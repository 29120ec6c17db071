package io.github.nettyunix;

import java.net.ConnectException;

/** A failed connect. */
final class UnixConnectException extends ConnectException implements UnixErrors.Detailed {
    private static final long serialVersionUID = 1;
    private final UnixErrors.Details details;

    UnixConnectException(UnixErrors.Details details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public UnixErrors.Details details() {
        return details;
    }
}
