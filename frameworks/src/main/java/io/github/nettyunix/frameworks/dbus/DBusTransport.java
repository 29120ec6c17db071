package io.github.nettyunix.frameworks.dbus;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import org.freedesktop.dbus.connections.BusAddress;
import org.freedesktop.dbus.connections.config.TransportConfig;
import org.freedesktop.dbus.connections.transports.AbstractUnixTransport;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;

/** A transport of dbus-java, for connections to a bus. Its channel has a thread, for which dbus-java's threads wait. */
final class DBusTransport extends AbstractUnixTransport {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1,
            new DefaultThreadFactory("dbus-netty", true), UnixTransport.newIoHandlerFactory());
    private final UnixSocketAddress address;

    DBusTransport(BusAddress address, TransportConfig config) {
        super(address, config);
        this.address = UnixSocketAddress.parse(address.toString());
    }

    @Override
    protected boolean hasFileDescriptorSupport() {
        return true;
    }

    @Override
    protected SocketChannel connectImpl() throws IOException {
        BlockingSocket.Input input = new BlockingSocket.Input();
        ChannelFuture connected = new Bootstrap().group(group).channel(UnixStreamChannel.class)
                .option(ChannelOption.AUTO_READ, false).handler(input).connect(address).awaitUninterruptibly();
        if (!connected.isSuccess()) {
            throw new IOException(connected.cause().getMessage(), connected.cause());
        }
        return new BlockingSocket((UnixStreamChannel) connected.channel(), input);
    }

    @Override
    protected boolean isBound() {
        return false;
    }

    @Override
    protected void bindImpl() {
        throw new UnsupportedOperationException("this transport connects to a bus; it does not listen: " + address);
    }

    @Override
    protected SocketChannel acceptImpl() {
        throw new UnsupportedOperationException("this transport connects to a bus; it does not listen: " + address);
    }

    @Override
    public int getUid(SocketChannel socket) throws IOException {
        return ((BlockingSocket) socket).peer().peerCredentials().uid();
    }

    @Override
    protected void closeTransport() {
        // It closes the channel.
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
