package io.github.nettyunix;

import io.netty.channel.ChannelException;

/** A failure of what declares no checked exception: constructors, options, {@code adopt}. */
final class UnixChannelException extends ChannelException implements UnixErrors.Detailed {
    private static final long serialVersionUID = 1;
    private final UnixErrors.Details details;

    UnixChannelException(UnixErrors.Details details) {
        super(details.message());
        this.details = details;
    }

    @Override
    public UnixErrors.Details details() {
        return details;
    }
}
