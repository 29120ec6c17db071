package io.github.nettyunix.internal.errors;

import io.netty.channel.ChannelException;

/** A failure in a method without checked exceptions: constructors, options, {@code adopt}. */
public final class UnixChannelException extends ChannelException implements HasDetails {
    private static final long serialVersionUID = 1;
    private final ErrorDetails details;

    UnixChannelException(ErrorDetails details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public ErrorDetails details() {
        return details;
    }
}
