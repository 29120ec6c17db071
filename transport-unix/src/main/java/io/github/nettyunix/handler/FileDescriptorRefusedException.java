package io.github.nettyunix.handler;

import io.netty.channel.Channel;

/**
 * Thrown if a message brought descriptors that are not admitted: too many, see {@link FileDescriptorLimitHandler} and
 * {@link FileDescriptorQueueHandler}, or of another type, see {@link FileDescriptorTypeHandler}. They have been closed.
 * The errno is EACCES.
 */
public final class FileDescriptorRefusedException extends RefusalException {
    private static final long serialVersionUID = 1;

    FileDescriptorRefusedException(String message) {
        super("read", message, null);
    }

    /** Sets the channel at which the descriptors arrived. */
    FileDescriptorRefusedException at(Channel channel) {
        setChannel(channel);
        return this;
    }
}
