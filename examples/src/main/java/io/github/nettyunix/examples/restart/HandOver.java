package io.github.nettyunix.examples.restart;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * The old server's side. Each record that it sends is confirmed by one from the successor. The first contains its
 * generation, with the two listening sockets. The others contain connections: for each a descriptor, the number of
 * bytes that were read of its next request, and these bytes. Connections that have not been confirmed when the
 * successor goes away are served here again.
 */
final class HandOver extends SimpleChannelInboundHandler<ByteBuf> {
    private final Server server;
    private final Queue<Connection> waiting = new ArrayDeque<>();
    private final List<Connection> unconfirmed = new ArrayList<>();
    private boolean begun;
    private boolean ended;
    private int count;
    private Future<?> progress;

    HandOver(Server server) {
        this.server = server;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) throws IOException {
        // Other successors wait as well, until this one is the server.
        server.setAccepting(false);
        System.err.println(server + ": handing over to pid " + ((UnixPeer) ctx.channel()).peerCredentials().pid());
        progress = server.loop().scheduleWithFixedDelay(() ->
                System.err.println(server + ": " + server.connections().size()
                + " connections are left"), 2, 2, TimeUnit.SECONDS);
        UnixFileDescriptor listener = UnixFileDescriptor.dup(((UnixChannel) server.listener()).fd());
        UnixFileDescriptor control;
        try {
            control = UnixFileDescriptor.dup(((UnixChannel) server.control()).fd());
        } catch (IOException e) {
            listener.release();
            throw e;
        }
        send(ctx, ctx.alloc().buffer().writeInt(server.generation()), List.of(listener, control));
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf confirmation) {
        if (!begun) {
            begun = true;
            // The last connection to be closed may be that of a client that leaves.
            List.copyOf(server.connections()).forEach(connection -> {
                connection.channel().closeFuture().addListener(closed -> goOn(ctx));
                connection.giveUp(ready -> {
                    waiting.add(ready);
                    if (ended) {
                        goOnHere();
                    } else {
                        goOn(ctx);
                    }
                });
            });
        }
        count += unconfirmed.size();
        unconfirmed.forEach(Connection::release);
        unconfirmed.clear();
        goOn(ctx);
    }

    private void goOn(ChannelHandlerContext ctx) {
        // Later, together with others.
        server.loop().execute(() -> {
            try {
                if (unconfirmed.isEmpty() && !ended && ctx.channel().isActive()) {
                    sendPaused(ctx);
                }
            } catch (IOException e) {
                exceptionCaught(ctx, e);
            }
        });
    }

    private void sendPaused(ChannelHandlerContext ctx) throws IOException {
        if (!waiting.isEmpty()) {
            ByteBuf rests = ctx.alloc().buffer();
            for (Connection next; unconfirmed.size() < UnixMessage.MAX_FILE_DESCRIPTORS
                    && (next = waiting.poll()) != null;) {
                unconfirmed.add(next);
                // The connection may still be needed here.
                ByteBuf rest = next.rest().duplicate();
                rests.writeInt(rest.readableBytes()).writeBytes(rest);
            }
            // Our descriptors stay open until they are confirmed.
            send(ctx, rests, unconfirmed.stream().map(connection -> connection.socket().retain()).toList());
        } else if (server.connections().isEmpty()) {
            ended = true;
            System.err.println(server + ": handed over " + count + " connections");
            ctx.close();
            server.end();
        }
    }

    private static void send(ChannelHandlerContext ctx, ByteBuf content, List<UnixFileDescriptor> sockets) {
        ctx.writeAndFlush(new UnixMessage(content, sockets.toArray(new UnixFileDescriptor[0])))
                .addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (progress != null) {
            progress.cancel(false);
        }
        if (progress != null && !ended) {
            ended = true;
            System.err.println(server + ": the successor has gone, going on");
            List.copyOf(server.connections()).forEach(Connection::keep);
            goOnHere();
            server.setAccepting(true);
        }
    }

    /** Serves the connections that were given up and have not been confirmed. */
    private void goOnHere() {
        waiting.addAll(unconfirmed);
        unconfirmed.clear();
        for (Connection next; (next = waiting.poll()) != null;) {
            server.adoptConnection(next.socket(), next.rest());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println(server + ": handing over: " + cause.getMessage());
        ctx.close();
    }
}
