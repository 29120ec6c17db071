package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.flush.FlushConsolidationHandler;
import io.netty.handler.timeout.IdleStateHandler;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Forwards datagrams. Each sender that has a name gets a socket of its own to the upstream, on which replies to it
 * arrive. Senders without a name, which cannot receive replies, share one socket. All of them are on the same event
 * loop.
 */
final class DatagramProxy extends ChannelInboundHandlerAdapter {
    private final Bootstrap template;
    private final UnixSocketAddress upstream;
    private final long idleSeconds;
    private final Stats stats;
    private final SenderCredentials credentials;
    private final Map<UnixSocketAddress, DatagramSession> sessions = new HashMap<>();
    private Channel clients;
    private int reasonsToWait;

    /**
     * @param template the bootstrap for channels to the upstream
     * @param idleSeconds how long the socket of a sender is kept without traffic
     * @param credentials decides which credentials datagrams are sent with, or {@code null}
     */
    DatagramProxy(Bootstrap template, UnixSocketAddress upstream, long idleSeconds, Stats stats,
            SenderCredentials credentials) {
        this.template = template;
        this.upstream = upstream;
        this.idleSeconds = idleSeconds;
        this.stats = stats;
        this.credentials = credentials;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        clients = ctx.channel();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        UnixDatagramPacket packet = (UnixDatagramPacket) message;
        DatagramSession session = sessions.get(packet.sender());
        if (session != null) {
            session.forward(packet);
        } else {
            open(packet);
        }
    }

    private void open(UnixDatagramPacket first) {
        UnixSocketAddress sender = first.sender();
        DatagramSession session = new DatagramSession(this, sender);
        // The next datagram may be this sender's, too.
        pause();
        ChannelFuture connecting = template.clone(clients.eventLoop())
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new FlushConsolidationHandler(64, true),
                                new IdleStateHandler(0, 0, idleSeconds, TimeUnit.SECONDS), session);
                    }
                })
                // A name that the kernel chooses, so that the upstream can reply.
                .connect(upstream, UnixSocketAddress.autobind());
        connecting.addListener(connected -> {
            if (connected.isSuccess()) {
                stats.connections.increment();
                sessions.put(sender, session);
                connecting.channel().closeFuture().addListener(closed -> sessions.remove(sender, session));
                session.forward(first);
            } else {
                report(connected.cause());
                first.release();
            }
            resume();
        });
    }

    /** Stops reading from the clients until {@link #resume()} has been called as often. */
    void pause() {
        reasonsToWait++;
        clients.config().setAutoRead(false);
    }

    void resume() {
        if (--reasonsToWait == 0) {
            clients.config().setAutoRead(true);
        }
    }

    Channel clients() {
        return clients;
    }

    Stats stats() {
        return stats;
    }

    static void report(Throwable cause) {
        System.err.println("dropping a datagram: " + cause.getMessage());
    }

    /**
     * Returns the same message with another recipient; {@code null} means the peer that the channel is connected to.
     *
     * @param isSentAtOnce whether no other message waits to be sent
     */
    UnixMessage readdress(UnixDatagramPacket packet, UnixSocketAddress recipient, boolean isSentAtOnce) {
        packet.fileDescriptors().forEach(UnixFileDescriptor::retain);
        UnixDatagramPacket next = new UnixDatagramPacket(packet.content().retain(), recipient,
                packet.fileDescriptors().toArray(new UnixFileDescriptor[0]));
        packet.release();
        return credentials == null ? next
                : credentials.replace(next, packet.credentials(), isSentAtOnce, clients.eventLoop());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        report(cause);
    }
}
