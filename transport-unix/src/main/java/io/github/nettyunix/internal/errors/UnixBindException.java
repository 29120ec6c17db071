package io.github.nettyunix.internal.errors;

import java.net.BindException;

/** A failed bind. */
public final class UnixBindException extends BindException implements HasDetails {
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
