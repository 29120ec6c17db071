package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.MessageSizeEstimator;
import io.netty.handler.timeout.IdleStateEvent;

import java.util.EnumSet;
import java.util.Set;

/** One sender's socket to the upstream. */
final class DatagramSession extends ChannelInboundHandlerAdapter {
    /**
     * The limit for data waiting for a client that does not read, descriptors included. Other clients must not wait for
     * it.
     */
    private static final int MAX_WAITING = 1 << 16;
    private static final Set<UnixErrno> GONE = EnumSet.of(UnixErrno.ECONNREFUSED, UnixErrno.ENOENT);

    private final DatagramProxy proxy;
    private final UnixSocketAddress client;
    private Channel upstream;
    private MessageSizeEstimator.Handle weight;
    private boolean full;
    // The number of datagrams in flight to the upstream, and the weight of those to the client.
    private int waitingUp;
    private int waitingDown;

    DatagramSession(DatagramProxy proxy, UnixSocketAddress client) {
        this.proxy = proxy;
        this.client = client;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        upstream = ctx.channel();
        weight = upstream.config().getMessageSizeEstimator().newHandle();
    }

    /** Sends the client's datagram to the upstream. */
    void forward(UnixDatagramPacket packet) {
        int bytes = packet.content().readableBytes();
        int fds = packet.fileDescriptors().size();
        SendBuffer.makeRoom(upstream, bytes);
        boolean isSentAtOnce = waitingUp++ == 0;
        upstream.writeAndFlush(proxy.readdress(packet, null, isSentAtOnce)).addListener(future -> {
            waitingUp--;
            if (future.isSuccess()) {
                proxy.stats().up.add(bytes, fds);
            } else if (upstream.isOpen()) {
                DatagramProxy.report(future.cause());
                closeIfGone(future.cause());
            }
        });
    }

    /** Sends the upstream's datagram to the client. */
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        UnixDatagramPacket packet = (UnixDatagramPacket) message;
        if (client.isUnnamed()) {
            packet.release();
            System.err.println("dropping a datagram: it answers senders without a name");
            return;
        }
        int bytes = packet.content().readableBytes();
        int fds = packet.fileDescriptors().size();
        int load = weight.size(packet);
        SendBuffer.makeRoom(proxy.clients(), bytes);
        boolean isSentAtOnce = waitingDown == 0;
        addWaiting(load);
        proxy.clients().write(proxy.readdress(packet, client, isSentAtOnce)).addListener(future -> {
            addWaiting(-load);
            if (future.isSuccess()) {
                proxy.stats().down.add(bytes, fds);
            } else {
                closeIfGone(future.cause());
            }
        });
    }

    private void addWaiting(int load) {
        waitingDown += load;
        upstream.config().setAutoRead(waitingDown < MAX_WAITING);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        proxy.clients().flush();
    }

    /** If the upstream is slow, its clients wait. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        setFull(!upstream.isWritable());
    }

    private void setFull(boolean nowFull) {
        if (full != nowFull) {
            full = nowFull;
            if (full) {
                proxy.pause();
            } else {
                proxy.resume();
            }
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent && waitingUp == 0 && waitingDown == 0) {
            ctx.close();
        }
    }

    /** Closes the session if a socket that it sends to is gone. A new socket in its place gets a new session. */
    private void closeIfGone(Throwable cause) {
        if (cause instanceof UnixSocketError error && GONE.contains(error.error())) {
            upstream.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        setFull(false);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        DatagramProxy.report(cause);
    }
}
