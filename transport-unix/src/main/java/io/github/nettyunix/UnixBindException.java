package io.github.nettyunix;

import java.net.BindException;

/** A failed bind. */
final class UnixBindException extends BindException implements UnixErrors.Detailed {
    private static final long serialVersionUID = 1;
    private final UnixErrors.Details details;

    UnixBindException(UnixErrors.Details details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public UnixErrors.Details details() {
        return details;
    }
}
