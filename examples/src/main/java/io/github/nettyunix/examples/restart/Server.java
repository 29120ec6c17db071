package io.github.nettyunix.examples.restart;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.handler.PeerAuthorizationHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.channel.ServerChannel;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;

import java.util.LinkedHashSet;
import java.util.Set;

/** The server, which can be handed over. All of it is on one event loop. */
final class Server {
    private final EventLoop loop;
    private final Set<Connection> connections = new LinkedHashSet<>();
    private final Promise<Void> replaced;
    private int generation = 1;
    private Channel listener;
    private Channel control;

    Server(EventLoop loop) {
        this.loop = loop;
        replaced = loop.newPromise();
    }

    /** Starts as the first generation. */
    void bind(UnixSocketAddress address, UnixSocketAddress controlAddress) throws InterruptedException {
        SocketFilePolicy files = SocketFilePolicy.replaceStale().keepOnClose();
        listener = forClients().channel(UnixServerStreamChannel.class).option(UnixSocketOption.SOCKET_FILE, files)
                .bind(address).sync().channel();
        control = forSuccessors().channel(UnixServerSeqpacketChannel.class)
                .option(UnixSocketOption.SOCKET_FILE, files.withMode("rw-------")).bind(controlAddress).sync()
                .channel();
    }

    /** Continues with the sockets of the previous generation. */
    void adopt(int newGeneration, UnixFileDescriptor listenerFd, UnixFileDescriptor controlFd) {
        generation = newGeneration;
        listener = adopt(forClients(), listenerFd);
        control = adopt(forSuccessors(), controlFd);
    }

    private static Channel adopt(ServerBootstrap bootstrap, UnixFileDescriptor fd) {
        ServerChannel channel = (ServerChannel) UnixTransport.adopt(fd);
        return bootstrap.channelFactory(() -> channel).register().channel();
    }

    /** Continues with a connection of the previous generation. */
    void adoptConnection(UnixFileDescriptor fd, ByteBuf rest) {
        Channel channel = UnixTransport.adopt(fd);
        loop.register(channel).addListener(registered -> serve(channel, rest));
    }

    private ServerBootstrap forClients() {
        return new ServerBootstrap().group(loop).childHandler(new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                serve(channel, Unpooled.EMPTY_BUFFER);
            }
        });
    }

    private ServerBootstrap forSuccessors() {
        return new ServerBootstrap().group(loop).childHandler(new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new PeerAuthorizationHandler(PeerAuthorizationHandler.sameUser()),
                        new HandOver(Server.this));
            }
        });
    }

    private void serve(Channel channel, ByteBuf rest) {
        Connection connection = new Connection(this, channel);
        connections.add(connection);
        channel.closeFuture().addListener(closed -> connections.remove(connection));
        channel.pipeline().addLast(connection);
        connection.serve(rest);
    }

    /** Stops or resumes accepting. Clients that connect meanwhile wait in the backlog. */
    void setAccepting(boolean accepting) {
        listener.config().setAutoRead(accepting);
        control.config().setAutoRead(accepting);
    }

    /** Ends the server: the successor has everything. */
    void end() {
        listener.close();
        control.close();
        replaced.setSuccess(null);
    }

    Future<Void> replaced() {
        return replaced;
    }

    EventLoop loop() {
        return loop;
    }

    int generation() {
        return generation;
    }

    Channel listener() {
        return listener;
    }

    Channel control() {
        return control;
    }

    Set<Connection> connections() {
        return connections;
    }

    @Override
    public String toString() {
        return "generation " + generation + ", pid " + ProcessHandle.current().pid();
    }
}
