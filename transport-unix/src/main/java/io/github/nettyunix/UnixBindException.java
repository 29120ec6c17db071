package io.github.nettyunix;

import java.net.BindException;

/** A failed bind. */
final class UnixBindException extends BindException implements HasDetails {
    private static final long serialVersionUID = 1;
    private final ErrorDetails details;

    UnixBindException(ErrorDetails details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public ErrorDetails details() {
        return details;
    }
}
