package io.github.nettyunix;

import io.github.nettyunix.internal.ChannelSettings;
import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.read.ReadLoop;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.RecvByteBufAllocator;

/**
 * The configuration of servers. It is set by {@link ChannelOption}s: {@code SO_BACKLOG},
 * {@link UnixSocketOption#SOCKET_FILE}, {@code SO_SNDBUF}, {@code SO_RCVBUF}, {@link UnixSocketOption#SO_PASSCRED},
 * {@link UnixSocketOption#SO_PASSPIDFD}, {@link UnixSocketOption#SO_PASSSEC}, {@link UnixSocketOption#SO_PASSRIGHTS},
 * and the options of all of Netty's channels. Others, such as {@code ALLOW_HALF_CLOSURE}, belong to the accepted
 * channels and are set as {@code childOption}s; their configuration is a {@link UnixChannelConfig}. Thread-safe.
 */
public final class UnixServerChannelConfig extends AbstractUnixChannelConfig {
    UnixServerChannelConfig(Channel channel, RecvByteBufAllocator allocator, SocketOptions options,
            ChannelSettings settings, ReadLoop readLoop) {
        super(channel, allocator, options, settings, readLoop);
    }
}
