package io.github.nettyunix.frameworks.lettuce;

import io.github.nettyunix.UnixStreamChannel;
import io.lettuce.core.ConnectionBuilder;
import io.lettuce.core.ConnectionEvents;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.resource.ClientResources;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelOption;
import io.netty.util.AttributeKey;
import reactor.core.publisher.Mono;

import java.net.SocketAddress;

/**
 * A client of Redis whose Unix sockets are those of this transport. Connections to other addresses are Lettuce's usual
 * ones.
 * <pre>{@code
 * RedisClient client = new UnixRedisClient(resources, RedisURI.Builder.socket("/run/redis.sock").build());
 * }</pre>
 * A subclass is the only place where Lettuce lets a program choose the class of a channel.
 */
public class UnixRedisClient extends RedisClient {
    /**
     * Creates a client.
     *
     * @param resources the resources, which the caller must shut down after the client
     * @param uri where connections without an address of their own go
     */
    public UnixRedisClient(ClientResources resources, RedisURI uri) {
        super(resources, uri);
    }

    /** {@inheritDoc} */
    @Override
    protected void connectionBuilder(Mono<SocketAddress> address, ConnectionBuilder builder, ConnectionEvents events,
            RedisURI uri) {
        super.connectionBuilder(address, builder, events, uri);
        String socket = uri.getSocket();
        if (socket != null && !socket.isEmpty()) {
            builder.bootstrap(withUnixChannel(builder.bootstrap()));
        }
    }

    /** Returns a copy: the class of a bootstrap's channels cannot be changed. */
    private static Bootstrap withUnixChannel(Bootstrap original) {
        Bootstrap copy = new Bootstrap().group(original.config().group()).channel(UnixStreamChannel.class);
        original.config().options().forEach((option, value) -> setOption(copy, option, value));
        original.config().attrs().forEach((key, value) -> setAttribute(copy, key, value));
        return copy;
    }

    @SuppressWarnings("unchecked")
    private static <T> void setOption(Bootstrap bootstrap, ChannelOption<T> option, Object value) {
        bootstrap.option(option, (T) value);
    }

    @SuppressWarnings("unchecked")
    private static <T> void setAttribute(Bootstrap bootstrap, AttributeKey<T> key, Object value) {
        bootstrap.attr(key, (T) value);
    }
}
