package io.github.nettyunix.examples.activated;

import io.github.nettyunix.SocketActivation;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.examples.Running;
import io.github.nettyunix.examples.echo.EchoHandler;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DuplexChannel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.util.List;
import java.util.concurrent.Callable;

/** {@code activated}: a server whose sockets its parent opens. */
@Command(name = "activated",
        description = {"Sends back what it receives, on sockets that systemd has opened for it: listening sockets, "
                + "connections and datagram sockets.",
                "To try it: systemd-socket-activate -l SOCKET examples/run activated"})
public final class ActivatedCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            List<SocketActivation.Activated> sockets = SocketActivation.sockets();
            if (sockets.isEmpty()) {
                throw new ParameterException(spec.commandLine(),
                        "no socket was passed to this process by LISTEN_PID and LISTEN_FDS");
            }
            for (SocketActivation.Activated socket : sockets) {
                Channel channel = serve(running.group(), socket.channel()).sync().channel();
                System.err.println("socket " + socket.name() + ": " + channel.getClass().getSimpleName() + " at "
                        + channel.localAddress());
            }
            for (SocketActivation.Activated socket : sockets) {
                socket.channel().closeFuture().sync();
            }
            return 0;
        }
    }

    private static ChannelFuture serve(EventLoopGroup group, Channel channel) {
        ChannelInitializer<Channel> echo = new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel connection) {
                connection.pipeline().addLast(new EchoHandler());
            }
        };
        if (channel instanceof ServerChannel server) {
            return new ServerBootstrap().group(group).channelFactory(() -> server)
                    .childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                    .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                    .childHandler(echo).register();
        }
        Bootstrap bootstrap = new Bootstrap().group(group).channelFactory(() -> channel)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .handler(echo);
        if (channel instanceof DuplexChannel) {
            bootstrap.option(ChannelOption.ALLOW_HALF_CLOSURE, true);
        }
        return bootstrap.register();
    }
}
