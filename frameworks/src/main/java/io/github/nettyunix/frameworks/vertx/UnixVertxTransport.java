package io.github.nettyunix.frameworks.vertx;

import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DatagramChannel;
import io.vertx.core.datagram.DatagramSocketOptions;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.TcpConfig;
import io.vertx.core.transport.Transport;

import java.util.concurrent.ThreadFactory;

/**
 * A transport of Vert.x whose Unix sockets are those of this library. For everything else it is Vert.x's own transport,
 * on epoll or kqueue.
 * <pre>{@code
 * Vertx vertx = Vertx.builder().withTransport(new UnixVertxTransport()).build();
 * vertx.createHttpServer()...listen(SocketAddress.domainSocketAddress("/run/app.sock"));
 * }</pre>
 */
public final class UnixVertxTransport implements Transport {
    private final Transport base;
    private final Implementation implementation;

    /** Creates a transport. */
    public UnixVertxTransport() {
        base = EPOLL != null && EPOLL.available() ? EPOLL : KQUEUE;
        implementation = base == null ? null : new Implementation(base.implementation());
    }

    /** {@inheritDoc} */
    @Override
    public String name() {
        return "netty-transport-unix";
    }

    /** {@inheritDoc} */
    @Override
    public boolean available() {
        return base != null && base.available() && UnixTransport.isAvailable();
    }

    /** {@inheritDoc} */
    @Override
    public Throwable unavailabilityCause() {
        return base == null ? new UnsupportedOperationException("Vert.x has neither Netty's epoll nor its kqueue")
                : base.available() ? UnixTransport.unavailabilityCause() : base.unavailabilityCause();
    }

    /** {@inheritDoc} */
    @Override
    public io.vertx.core.spi.transport.Transport implementation() {
        return implementation;
    }

    private record Implementation(io.vertx.core.spi.transport.Transport base)
            implements io.vertx.core.spi.transport.Transport {

        @Override
        public ChannelFactory<? extends Channel> channelFactory(boolean domainSocket) {
            return domainSocket ? UnixStreamChannel::new : base.channelFactory(false);
        }

        @Override
        public ChannelFactory<? extends ServerChannel> serverChannelFactory(boolean domainSocket) {
            return domainSocket ? UnixServerStreamChannel::new : base.serverChannelFactory(false);
        }

        @Override
        public java.net.SocketAddress convert(SocketAddress address) {
            return address.isDomainSocket() ? UnixSocketAddress.of(address.path()) : base.convert(address);
        }

        @Override
        public SocketAddress convert(java.net.SocketAddress address) {
            return base.convert(address);
        }

        @Override
        public boolean supportsDomainSockets() {
            return true;
        }

        @Override
        public boolean supportFileRegion() {
            return base.supportFileRegion();
        }

        @Override
        public boolean isAvailable() {
            return base.isAvailable() && UnixTransport.isAvailable();
        }

        @Override
        public Throwable unavailabilityCause() {
            return base.isAvailable() ? UnixTransport.unavailabilityCause() : base.unavailabilityCause();
        }

        @Override
        public IoHandlerFactory ioHandlerFactory() {
            return base.ioHandlerFactory();
        }

        @Override
        public EventLoopGroup eventLoopGroup(int type, int threads, ThreadFactory factory, int ioRatio) {
            return base.eventLoopGroup(type, threads, factory, ioRatio);
        }

        @Override
        @SuppressWarnings("deprecation")
        public DatagramChannel datagramChannel(io.netty.channel.socket.InternetProtocolFamily family) {
            return base.datagramChannel(family);
        }

        @Override
        public ChannelFactory<? extends DatagramChannel> datagramChannelFactory() {
            return base.datagramChannelFactory();
        }

        @Override
        public void configure(DatagramChannel channel, DatagramSocketOptions options) {
            base.configure(channel, options);
        }

        @Override
        public void configure(TcpConfig options, boolean domainSocket, Bootstrap bootstrap) {
            base.configure(options, domainSocket, bootstrap);
        }

        @Override
        public void configure(TcpConfig options, boolean domainSocket, ServerBootstrap bootstrap) {
            base.configure(options, domainSocket, bootstrap);
        }
    }
}
