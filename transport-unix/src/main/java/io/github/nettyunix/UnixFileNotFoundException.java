package io.github.nettyunix;

import java.io.FileNotFoundException;

/** ENOENT, of any operation but bind. */
final class UnixFileNotFoundException extends FileNotFoundException implements UnixErrors.Detailed {
    private static final long serialVersionUID = 1;
    private final UnixErrors.Details details;

    UnixFileNotFoundException(UnixErrors.Details details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public UnixErrors.Details details() {
        return details;
    }
}
