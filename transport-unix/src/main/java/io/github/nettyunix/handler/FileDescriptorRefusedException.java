package io.github.nettyunix.handler;

import java.io.IOException;

/**
 * Descriptors came in that are not wanted: too many of them, see {@link FileDescriptorLimitHandler} and
 * {@link FileDescriptorQueueHandler}, or of another type, see {@link FileDescriptorTypeHandler}. They have been closed.
 */
public final class FileDescriptorRefusedException extends IOException {
    private static final long serialVersionUID = 1;

    FileDescriptorRefusedException(String message) {
        super(message);
    }
}
