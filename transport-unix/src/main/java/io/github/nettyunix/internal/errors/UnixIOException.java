package io.github.nettyunix.internal.errors;

import java.io.IOException;

/** A failed operation that has no class of its own. */
public final class UnixIOException extends IOException implements HasDetails {
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
