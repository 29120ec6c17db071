package io.github.nettyunix;

import java.io.IOException;

/** A failed operation that no other class stands for. */
final class UnixIOException extends IOException implements HasDetails {
    private static final long serialVersionUID = 1;
    private final ErrorDetails details;

    UnixIOException(ErrorDetails details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public ErrorDetails details() {
        return details;
    }
}
