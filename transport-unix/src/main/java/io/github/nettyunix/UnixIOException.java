package io.github.nettyunix;

import java.io.IOException;

/** A failed operation that no other class stands for. */
final class UnixIOException extends IOException implements UnixErrors.Detailed {
    private static final long serialVersionUID = 1;
    private final UnixErrors.Details details;

    UnixIOException(UnixErrors.Details details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public UnixErrors.Details details() {
        return details;
    }
}
