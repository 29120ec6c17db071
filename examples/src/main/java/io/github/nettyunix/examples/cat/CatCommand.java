package io.github.nettyunix.examples.cat;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** {@code cat}: connects standard input and output to a socket, like nc -U. */
@Command(name = "cat",
        description = {"Sends standard input to a socket and prints what it receives. When its input ends, it ends its "
                + "half of the connection and waits for the peer to end the other half.",
                "On seqpacket and datagram sockets every line of input, including its newline, is a record; lines are "
                + "split at 64 KiB. Received records are printed unchanged."})
public final class CatCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME")
    private UnixSocketAddress address;

    @Option(names = "--type", paramLabel = "TYPE", defaultValue = "stream",
            description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}")
    private SocketType type;

    @Option(names = {"-l", "--listen"},
            description = "act as the server, for one connection. For datagrams: receive from all senders until "
                    + "terminated, and send to the most recent one")
    private boolean listen;

    @Option(names = "--wait", paramLabel = "SECONDS", defaultValue = "0.5",
            description = "how long to wait for replies after the last datagram; default: ${DEFAULT-VALUE}")
    private double wait;

    /** Completes when the peer's output has ended and has been printed. */
    private final Promise<Void> printed = newPromise();
    /** For a datagram server: completes when the first sender is known. */
    private final Promise<Void> someoneWasHeard = newPromise();
    private final Promise<Void> end = newPromise();

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            Channel channel = listen ? listen(running.group()) : connect(running.group());
            // A failure in one direction ends the other.
            printed.addListener(future -> {
                if (!future.isSuccess()) {
                    end.tryFailure(future.cause());
                }
            });
            // Reading standard input may block forever, and cannot be interrupted.
            Thread input = new Thread(() -> send(channel), "input");
            input.setDaemon(true);
            input.start();
            end.sync();
            return 0;
        }
    }

    private Channel connect(EventLoopGroup group) throws InterruptedException {
        Bootstrap bootstrap = new Bootstrap().group(group)
                .option(ChannelOption.AUTO_READ, false)
                .handler(new OutputHandler(printed));
        ChannelFuture connected = switch (type) {
            case STREAM -> bootstrap.channel(UnixStreamChannel.class).option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                    .connect(address);
            case SEQPACKET -> bootstrap.channel(UnixSeqpacketChannel.class)
                    .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                    .connect(address);
            // It needs a name to receive replies.
            case DATAGRAM -> bootstrap.channel(UnixDatagramChannel.class).bind(UnixSocketAddress.autobind()).sync()
                    .channel().connect(address);
        };
        return Running.await(connected, "connecting to " + address).channel();
    }

    private Channel listen(EventLoopGroup group) throws InterruptedException {
        return switch (type) {
            case STREAM -> accept(group, UnixServerStreamChannel.class);
            case SEQPACKET -> accept(group, UnixServerSeqpacketChannel.class);
            case DATAGRAM -> listening(new Bootstrap().group(group).channel(UnixDatagramChannel.class)
                    .option(ChannelOption.AUTO_READ, false)
                    .handler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.pipeline().addLast(new LastSenderHandler(someoneWasHeard),
                                    new OutputHandler(printed));
                        }
                    })
                    .bind(address));
        };
    }

    private Channel accept(EventLoopGroup group, Class<? extends ServerChannel> serverType)
            throws InterruptedException {
        Promise<Channel> first = ImmediateEventExecutor.INSTANCE.newPromise();
        Channel server = listening(new ServerBootstrap().group(group).channel(serverType)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (first.trySuccess(channel)) {
                            channel.pipeline().addLast(new OutputHandler(printed));
                        } else {
                            channel.close();
                        }
                    }
                })
                .bind(address));
        first.sync();
        server.close();
        return first.getNow();
    }

    private Channel listening(ChannelFuture bound) throws InterruptedException {
        Channel server = bound.sync().channel();
        System.err.println("listening on " + server.localAddress());
        return server;
    }

    private void send(Channel channel) {
        try {
            if (listen && type == SocketType.DATAGRAM) {
                someoneWasHeard.sync();
            }
            Input input = new Input(type != SocketType.STREAM);
            for (ByteBuf piece; (piece = input.next()) != null;) {
                channel.writeAndFlush(piece).sync();
            }
            if (channel instanceof DuplexChannel connection) {
                ChannelFuture shutdown = connection.shutdownOutput().await();
                if (!shutdown.isSuccess() && channel.isOpen()) {
                    throw shutdown.cause();
                }
                Running.await(printed, "the input has ended; waiting for the other side to end");
                end.trySuccess(null);
            } else if (!listen) {
                TimeUnit.MILLISECONDS.sleep((long) (wait * 1000));
                end.trySuccess(null);
            }
        } catch (Throwable t) {
            // A channel closes when its peer is gone, even if nothing has been written to it yet.
            end.tryFailure(t instanceof ClosedChannelException
                    ? new IOException("the peer has closed the connection", t) : t);
        }
    }

    private static Promise<Void> newPromise() {
        return ImmediateEventExecutor.INSTANCE.newPromise();
    }
}
