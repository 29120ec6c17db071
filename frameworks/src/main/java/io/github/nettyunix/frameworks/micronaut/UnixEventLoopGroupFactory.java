package io.github.nettyunix.frameworks.micronaut;

import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixStreamChannel;
import io.micronaut.http.netty.channel.EpollEventLoopGroupFactory;
import io.micronaut.http.netty.channel.EventLoopGroupConfiguration;
import io.micronaut.http.netty.channel.NettyChannelType;
import io.netty.channel.Channel;

/**
 * A factory of Micronaut whose channels for Unix sockets are those of this transport. All other channels, and the event
 * loops, are those of the factory that it replaces. Linux only. A bean of this class needs the name
 * {@link EpollEventLoopGroupFactory#NAME} and {@code Replaces(EpollEventLoopGroupFactory.class)}.
 */
public class UnixEventLoopGroupFactory extends EpollEventLoopGroupFactory {
    /** Creates a factory. */
    public UnixEventLoopGroupFactory() {
        // It has no state.
    }

    /** {@inheritDoc} */
    @Override
    public Class<? extends Channel> channelClass(NettyChannelType type) {
        return switch (type) {
            case DOMAIN_SOCKET -> UnixStreamChannel.class;
            case DOMAIN_SERVER_SOCKET -> UnixServerStreamChannel.class;
            default -> super.channelClass(type);
        };
    }

    /** {@inheritDoc} */
    @Override
    public Channel channelInstance(NettyChannelType type, EventLoopGroupConfiguration configuration) {
        return switch (type) {
            case DOMAIN_SOCKET -> new UnixStreamChannel();
            case DOMAIN_SERVER_SOCKET -> new UnixServerStreamChannel();
            default -> super.channelInstance(type, configuration);
        };
    }
}
