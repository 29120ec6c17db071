package io.github.nettyunix.internal.errors;

import java.io.FileNotFoundException;

/** ENOENT from any operation except bind. */
public final class UnixFileNotFoundException extends FileNotFoundException implements HasDetails {
    private static final long serialVersionUID = 1;
    private final ErrorDetails details;

    UnixFileNotFoundException(ErrorDetails details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public ErrorDetails details() {
        return details;
    }
}
