package io.github.nettyunix.internal.errors;

import io.netty.channel.ConnectTimeoutException;

/** A connect that waited too long for room in the server's backlog. */
public final class UnixConnectTimeoutException extends ConnectTimeoutException implements HasDetails {
    private static final long serialVersionUID = 1;
    private final ErrorDetails details;

    UnixConnectTimeoutException(ErrorDetails details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public ErrorDetails details() {
        return details;
    }
}
