package io.github.nettyunix.frameworks.grpc;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.grpc.Attributes;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.Future;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A connection that a server has accepted, and the descriptors that have arrived and that no call has taken yet. They
 * are numbered in the order of their arrival, and calls ask for them by number.
 */
final class ServerConnection extends ChannelInboundHandlerAdapter {
    private static final int TIMEOUT_SECONDS = 60;

    // gRPC shows a transport filter the addresses of a connection, but not its channel. It calls the filter while the
    // client's first frame is being read.
    private static final FastThreadLocal<ServerConnection> CURRENT = new FastThreadLocal<>();
    private static final Attributes.Key<ServerConnection> KEY = Attributes.Key.create("netty-unix-connection");

    /** A descriptor, and when it arrived. */
    private record Waiting(UnixFileDescriptor fd, long since) {
    }

    private final UnixPeer peer;
    private final int limit;
    // Calls are started on other threads than the connection's. Guarded by itself, as is the next number.
    private final Map<Long, Waiting> waiting = new LinkedHashMap<>();
    private long next;
    private boolean closed;
    // The only one, while something waits.
    private Future<?> timer;

    /**
     * Creates a handler.
     *
     * @param limit how many descriptors may wait; beyond that, those that have waited longest are closed
     */
    ServerConnection(UnixPeer peer, int limit) {
        this.peer = peer;
        this.limit = limit;
    }

    /** Returns the attributes of the connection that is being read, with the connection itself. */
    static Attributes attach(Attributes attributes) {
        ServerConnection connection = CURRENT.get();
        return connection == null ? attributes : attributes.toBuilder().set(KEY, connection).build();
    }

    /** Returns the connection with these attributes; {@code null} if it is not one of {@link UnixGrpc}. */
    static ServerConnection of(Attributes attributes) {
        return attributes.get(KEY);
    }

    UnixPeer peer() {
        return peer;
    }

    /**
     * Takes descriptors, which the caller must release.
     *
     * @return {@code null} if not all of them are there; then none is taken
     */
    List<UnixFileDescriptor> take(DescriptorRange range) {
        List<UnixFileDescriptor> fds = new ArrayList<>();
        synchronized (waiting) {
            for (long number = range.first(); number < range.end(); number++) {
                if (!waiting.containsKey(number)) {
                    return null;
                }
            }
            for (long number = range.first(); number < range.end(); number++) {
                fds.add(waiting.remove(number).fd);
            }
        }
        return fds;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        CURRENT.set(this);
        try {
            ctx.fireChannelRead(message instanceof UnixMessage unixMessage ? contentOf(ctx, unixMessage) : message);
        } finally {
            CURRENT.remove();
        }
    }

    private ByteBuf contentOf(ChannelHandlerContext ctx, UnixMessage message) {
        try {
            add(message.fileDescriptors(), ctx.executor().ticker().nanoTime());
            return message.content().retain();
        } finally {
            message.release();
        }
    }

    private void add(List<UnixFileDescriptor> fds, long now) {
        synchronized (waiting) {
            for (UnixFileDescriptor fd : fds) {
                waiting.put(next++, new Waiting(fd.retain(), now));
            }
            while (waiting.size() > limit) {
                closeOldest();
            }
        }
    }

    /** A descriptor that calls take as soon as it arrives needs no timer. */
    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (timer == null) {
            startTimer(ctx);
        }
        ctx.fireChannelReadComplete();
    }

    private void startTimer(ChannelHandlerContext ctx) {
        synchronized (waiting) {
            timer = waiting.isEmpty() || closed ? null
                    : ctx.executor().schedule(() -> checkTime(ctx), TIMEOUT_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** The peer could have sent its own end of the connection, which would keep itself open for ever. */
    private void checkTime(ChannelHandlerContext ctx) {
        synchronized (waiting) {
            long now = ctx.executor().ticker().nanoTime();
            while (!waiting.isEmpty() && now - waiting.values().iterator().next().since
                    >= TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS)) {
                closeOldest();
            }
        }
        startTimer(ctx);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ctx.fireChannelInactive();
        closeAll();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        closeAll();
    }

    private void closeAll() {
        synchronized (waiting) {
            closed = true;
            if (timer != null) {
                timer.cancel(false);
            }
            while (!waiting.isEmpty()) {
                closeOldest();
            }
        }
    }

    private void closeOldest() {
        Long oldest = waiting.keySet().iterator().next();
        ReferenceCountUtil.safeRelease(waiting.remove(oldest).fd);
    }
}
