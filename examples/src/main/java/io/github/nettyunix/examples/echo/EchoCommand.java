package io.github.nettyunix.examples.echo;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.AbstractBootstrap;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.concurrent.Callable;

/** {@code echo}: a server that sends back what it receives. */
@Command(name = "echo",
        description = "A server that sends back what it receives: bytes, records or datagrams, and descriptors.")
public final class EchoCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "stream",
            description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}")
    private SocketType type;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            Channel server = bootstrap().group(running.group()).bind(address).sync().channel();
            System.err.println("listening on " + server.localAddress());
            server.closeFuture().sync();
            return 0;
        }
    }

    private AbstractBootstrap<?, ?> bootstrap() {
        return switch (type) {
            case STREAM -> server().channel(UnixServerStreamChannel.class);
            case SEQPACKET -> server().channel(UnixServerSeqpacketChannel.class);
            case DATAGRAM -> new Bootstrap().channel(UnixDatagramChannel.class)
                    .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true).handler(new EchoHandler());
        };
    }

    private static ServerBootstrap server() {
        return new ServerBootstrap()
                .childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new EchoHandler());
                    }
                });
    }
}
