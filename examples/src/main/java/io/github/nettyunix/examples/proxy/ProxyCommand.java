package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.AbstractBootstrap;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** {@code proxy}: forwards everything between clients and a server. */
@Command(name = "proxy", sortOptions = false,
        description = {"Forwards everything between two sockets, LISTEN and UPSTREAM.",
                "", "In both directions and in order: bytes, records or datagrams, their descriptors, and the end of "
                + "each direction. A slow side makes the other side wait. The upstream is connected to the proxy, "
                + "and sees its credentials.",
                "", "On a stream, descriptors arrive with the bytes that they were sent with.", ""})
public final class ProxyCommand implements Callable<Integer> {
    private static final int READS_IN_TURN = 256;
    private static final long STATS_MILLIS = 200;

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "LISTEN", description = "the socket for clients: a path, or @NAME")
    private UnixSocketAddress listen;

    @Parameters(index = "1", paramLabel = "UPSTREAM", description = "the socket of the server")
    private UnixSocketAddress upstream;

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "stream",
            description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}")
    private SocketType type;

    @Option(names = "--read-size", paramLabel = "BYTES",
            description = "the maximum number of bytes per read of a stream; messages with descriptors are read whole. "
                    + "Default: adapts to the traffic, up to 64 KiB")
    private Integer readSize;

    @Option(names = "--idle", paramLabel = "SECONDS",
            description = "datagram: how long the socket of a sender is kept without traffic; default: 60")
    private Long idleSeconds;

    @Option(names = "--credentials",
            description = "forwards the credentials of each message, as far as the kernel permits")
    private boolean forwardCredentials;

    @Option(names = "--stats", paramLabel = "FILE",
            description = "keeps {connections, bytesUp, bytesDown, fdsUp, fdsDown} in this file, as JSON; it is "
                    + "replaced, five times a second at most, and when the proxy ends")
    private Path statsFile;

    private final Stats stats = new Stats();
    private SenderCredentials credentials;

    @Override
    public Integer call() throws Exception {
        if (readSize != null && (readSize < 1 || type != SocketType.STREAM)) {
            throw new ParameterException(spec.commandLine(), "--read-size: a number of bytes, and for streams only");
        }
        if (idleSeconds != null && (idleSeconds < 1 || type != SocketType.DATAGRAM)) {
            throw new ParameterException(spec.commandLine(), "--idle: a number of seconds, and for datagrams only");
        }
        try (Running running = new Running()) {
            credentials = forwardCredentials ? new SenderCredentials() : null;
            Channel server = bootstrap(running.group()).bind(listen).sync().channel();
            if (statsFile != null) {
                stats.write(statsFile);
                running.group().scheduleWithFixedDelay(this::writeStats, STATS_MILLIS, STATS_MILLIS,
                        TimeUnit.MILLISECONDS);
                running.atEnd(this::writeStats);
            }
            System.err.println("listening on " + server.localAddress() + ", forwarding to " + upstream);
            server.closeFuture().sync();
            return 0;
        }
    }

    private AbstractBootstrap<?, ?> bootstrap(EventLoopGroup group) {
        return switch (type) {
            case STREAM -> connections(new ServerBootstrap().channel(UnixServerStreamChannel.class),
                    new Bootstrap().channel(UnixStreamChannel.class)).group(group);
            case SEQPACKET -> connections(new ServerBootstrap().channel(UnixServerSeqpacketChannel.class),
                    new Bootstrap().channel(UnixSeqpacketChannel.class)).group(group);
            case DATAGRAM -> datagrams().group(group)
                    .handler(new DatagramProxy(datagrams(), upstream, idleSeconds == null ? 60 : idleSeconds, stats,
                            credentials));
        };
    }

    private ServerBootstrap connections(ServerBootstrap server, Bootstrap toUpstream) {
        ConnectionProxy.both(server, toUpstream, UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        if (type == SocketType.STREAM) {
            ConnectionProxy.both(server, toUpstream, UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        }
        if (readSize != null) {
            // A fixed allocator would read once per turn by default.
            RecvByteBufAllocator allocator = new FixedRecvByteBufAllocator(readSize).maxMessagesPerRead(READS_IN_TURN);
            ConnectionProxy.both(server, toUpstream, ChannelOption.RECVBUF_ALLOCATOR, allocator);
        }
        if (forwardCredentials) {
            // Accepted connections inherit it, so that the first message has credentials as well.
            server.option(UnixSocketOption.SO_PASSCRED, true);
            toUpstream.option(UnixSocketOption.SO_PASSCRED, true);
        }
        return ConnectionProxy.between(server, toUpstream, upstream, stats, credentials);
    }

    private Bootstrap datagrams() {
        return new Bootstrap().channel(UnixDatagramChannel.class).option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .option(UnixSocketOption.SO_PASSCRED, forwardCredentials);
    }

    private void writeStats() {
        try {
            stats.write(statsFile);
        } catch (IOException e) {
            System.err.println("the stats are not written: " + e);
        }
    }
}
