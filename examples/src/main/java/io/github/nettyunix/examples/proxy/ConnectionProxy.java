package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.UnixSocketAddress;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;

/**
 * Connects each client to the upstream. Nothing is read from a client before it is connected. The two sides may be of
 * different families.
 */
public final class ConnectionProxy extends ChannelInitializer<DuplexChannel> {
    private final Bootstrap template;
    private final UnixSocketAddress upstream;
    private final Stats stats;
    private final SenderCredentials credentials;

    private ConnectionProxy(Bootstrap template, UnixSocketAddress upstream, Stats stats,
            SenderCredentials credentials) {
        this.template = template;
        this.upstream = upstream;
        this.stats = stats;
        this.credentials = credentials;
    }

    /**
     * Creates a proxy between two kinds of connections.
     *
     * @param server the bootstrap for the connections to the clients; its channel class must be set
     * @param toUpstream the bootstrap for the connections to the upstream; its channel class must be set
     * @param upstream the address of the upstream
     * @return {@code server}, whose event loops the caller sets before it binds it
     */
    public static ServerBootstrap between(ServerBootstrap server, Bootstrap toUpstream, UnixSocketAddress upstream) {
        return between(server, toUpstream, upstream, new Stats(), null);
    }

    /**
     * @param credentials decides which credentials messages are sent with, or {@code null}
     */
    static ServerBootstrap between(ServerBootstrap server, Bootstrap toUpstream, UnixSocketAddress upstream,
            Stats stats, SenderCredentials credentials) {
        both(server, toUpstream, ChannelOption.ALLOW_HALF_CLOSURE, true);
        both(server, toUpstream, ChannelOption.AUTO_CLOSE, false);
        return server.childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ConnectionProxy(toUpstream, upstream, stats, credentials));
    }

    static <T> void both(ServerBootstrap server, Bootstrap toUpstream, ChannelOption<T> option, T value) {
        server.childOption(option, value);
        toUpstream.option(option, value);
    }

    @Override
    protected void initChannel(DuplexChannel client) {
        ChannelFuture connecting = template.clone(client.eventLoop())
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(
                                new Relay(client, client.newSucceededFuture(), stats.down, credentials));
                    }
                })
                .connect(upstream);
        client.pipeline().addLast(
                new Relay((DuplexChannel) connecting.channel(), connecting, stats.up, credentials));
        connecting.addListener(connected -> {
            if (connected.isSuccess()) {
                stats.connections.increment();
                client.config().setAutoRead(true);
            } else {
                System.err.println("closing a connection: " + connected.cause().getMessage());
                client.close();
            }
        });
    }
}
