package io.github.nettyunix.examples.http;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.Running;
import io.github.nettyunix.examples.proxy.ConnectionProxy;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.util.NetUtil;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

import java.net.InetSocketAddress;
import java.util.concurrent.Callable;

/**
 * {@code http proxy}: the same thread serves a TCP connection and its Unix connection, because both kinds of channels
 * run on the same event loops.
 */
@Command(name = "proxy", description = "Forwards TCP connections to a server on a Unix socket.")
final class TcpProxyCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "[HOST:]PORT", converter = TcpAddressConverter.class,
            description = "the address to listen on; default host: 127.0.0.1, for this machine only")
    private InetSocketAddress listen;

    @Parameters(index = "1", paramLabel = "SOCKET", description = "the server's socket: a path, or @NAME")
    private UnixSocketAddress upstream;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            Class<? extends ServerChannel> tcp = Epoll.isAvailable() ? EpollServerSocketChannel.class
                    : KQueueServerSocketChannel.class;
            Channel server = ConnectionProxy.between(new ServerBootstrap().channel(tcp),
                    new Bootstrap().channel(UnixStreamChannel.class),
                    upstream).group(running.group()).bind(listen).sync().channel();
            System.err.println("listening on " + NetUtil.toSocketAddressString(
                    (InetSocketAddress) server.localAddress()) + ", forwarding to " + upstream);
            server.closeFuture().sync();
            return 0;
        }
    }

    private static final class TcpAddressConverter implements ITypeConverter<InetSocketAddress> {
        @Override
        public InetSocketAddress convert(String value) {
            int colon = value.lastIndexOf(':');
            InetSocketAddress address;
            try {
                address = new InetSocketAddress(colon < 0 ? "127.0.0.1" : value.substring(0, colon),
                        Integer.parseInt(value.substring(colon + 1)));
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException("'" + value + "' is not [HOST:]PORT");
            }
            if (address.isUnresolved()) {
                throw new TypeConversionException("no such host: " + address.getHostString());
            }
            return address;
        }
    }
}
