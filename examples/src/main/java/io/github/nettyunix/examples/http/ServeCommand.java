package io.github.nettyunix.examples.http;

import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;

/** {@code http serve}: Netty's HTTP codec on a Unix socket. */
@Command(name = "serve", description = "A web server on a Unix socket.",
        footer = {"", "Try: curl --unix-socket SOCKET http://localhost/"})
final class ServeCommand implements Callable<Integer> {
    private static final int MAX_REQUEST = 1 << 16;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Option(names = "--root", paramLabel = "DIR",
            description = "the folder of the files to serve; default: one fixed page")
    private Path root;

    @Override
    public Integer call() throws Exception {
        if (root != null && !Files.isDirectory(root)) {
            throw new ParameterException(spec.commandLine(), "--root: no such folder: " + root);
        }
        Path folder = root == null ? null : root.toRealPath();
        try (Running running = new Running()) {
            Channel server = new ServerBootstrap().group(running.group()).channel(UnixServerStreamChannel.class)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.pipeline().addLast(new HttpServerCodec(), new HttpServerKeepAliveHandler(),
                                    new HttpObjectAggregator(MAX_REQUEST), new RequestHandler(folder));
                        }
                    })
                    .bind(address).sync().channel();
            System.err.println("listening on " + server.localAddress());
            server.closeFuture().sync();
            return 0;
        }
    }
}
