package io.github.nettyunix.examples.proxy;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;

/** The kernel takes records that fit into the sender's SO_SNDBUF. */
final class SendBuffer {
    /** What Linux keeps of it for itself. */
    private static final int RESERVED = 32;

    private SendBuffer() {
    }

    /** A record that came in can go out. The kernel doubles what is set, and allows no user more than any other. */
    static void makeRoom(Channel channel, int length) {
        if (channel.config().getOption(ChannelOption.SO_SNDBUF) < length + RESERVED) {
            channel.config().setOption(ChannelOption.SO_SNDBUF, length);
        }
    }
}
