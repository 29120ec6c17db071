package io.github.nettyunix.examples.proxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;

/** Adjusts SO_SNDBUF, because the kernel accepts only records that fit into it. */
final class SendBuffer {
    /** The part that Linux reserves for itself. */
    private static final int RESERVED = 32;

    private SendBuffer() {
    }

    /**
     * Makes room for a record, so that every record received can be sent. The kernel doubles the value that is set, and
     * has the same limit for all users.
     */
    static void makeRoom(Channel channel, int length) {
        if (channel.config().getOption(ChannelOption.SO_SNDBUF) < length + RESERVED) {
            channel.config().setOption(ChannelOption.SO_SNDBUF, length);
        }
    }
}
