package io.github.nettyunix.internal.errors;

import java.net.ConnectException;

/** A failed connect. */
public final class UnixConnectException extends ConnectException implements HasDetails {
    private static final long serialVersionUID = 1;
    private final ErrorDetails details;

    UnixConnectException(ErrorDetails details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public ErrorDetails details() {
        return details;
    }
}
