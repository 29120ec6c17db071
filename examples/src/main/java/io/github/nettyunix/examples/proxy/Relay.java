package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketError;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;

import java.util.concurrent.TimeUnit;

/**
 * Forwards what one side of a pair sends to the other: bytes or records, descriptors, and the end. Each side has one; both are
 * on the same event loop. Their channels allow half-closure, and are not closed by a failed write: what a peer has sent before
 * it went away is still to be read then.
 */
final class Relay extends ChannelInboundHandlerAdapter {
    /** How long it takes at most to notice that a peer which takes nothing more is gone altogether. */
    private static final long GONE_MILLIS = 50;

    private final DuplexChannel to;
    private final Traffic traffic;
    // What has to be done before the end can be forwarded.
    private ChannelFuture last;
    private int longest;

    /**
     * @param to the other side
     * @param before what has to be done before anything is forwarded
     */
    Relay(DuplexChannel to, ChannelFuture before, Traffic traffic) {
        this.to = to;
        this.traffic = traffic;
        last = before;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        int bytes = message instanceof UnixMessage unix ? unix.content().readableBytes() : ((ByteBuf) message).readableBytes();
        int fds = message instanceof UnixMessage unix ? unix.fileDescriptors().size() : 0;
        if (to instanceof UnixSeqpacketChannel && bytes > longest) {
            longest = bytes;
            SendBuffer.makeRoom(to, bytes);
        }
        last = to.write(message);
        last.addListener(future -> {
            if (future.isSuccess()) {
                traffic.add(bytes, fds);
            } else if (to.isActive() && !to.isOutputShutdown()) {
                // This record only was refused, and nothing may arrive in its place. A direct connection would have told its sender.
                report(future.cause());
                ctx.close();
                to.close();
            }
        });
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        to.flush();
    }

    /** This side takes no more for now, or again: the other one feeds it. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (!ctx.channel().isWritable()) {
            to.config().setAutoRead(false);
            return;
        }
        // Later, because failing writes make room as well: only then is it known whether this side takes anything more.
        ctx.executor().execute(() -> {
            if (ctx.channel().isWritable() && !((DuplexChannel) ctx.channel()).isOutputShutdown()) {
                to.config().setAutoRead(true);
            }
        });
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event == ChannelInputShutdownReadComplete.INSTANCE) {
            last.addListener(flushed -> to.shutdownOutput());
        } else if (event == ChannelOutputShutdownEvent.INSTANCE) {
            // Either the other side has ended and the end was forwarded, or this side takes nothing more, which the other side
            // learns from EPIPE.
            to.shutdownInput();
            if (to.isOutputShutdown()) {
                ctx.close();
                to.close();
            } else {
                // What the other side has sent goes nowhere. If this side is gone altogether it stays unread, so that closing
                // resets the other connection as well; otherwise it is discarded, so that it does not fill the buffers.
                to.config().setAutoRead(false);
                ctx.executor().schedule(() -> {
                    if (ctx.channel().isActive()) {
                        to.config().setAutoRead(true);
                    }
                }, GONE_MILLIS, TimeUnit.MILLISECONDS);
            }
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        last.addListener(flushed -> to.close());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof UnixSocketError error && error.errnoName().equals("ECONNRESET")) {
            // A peer has closed without reading everything. The kernel lets a proxy pass that on in one way only: by closing
            // while there is something unread. If the other side has sent nothing more, it sees a clean end.
            to.config().setAutoRead(false);
            to.flush();
            ctx.close();
        } else {
            fail(ctx, cause);
        }
    }

    private void fail(ChannelHandlerContext ctx, Throwable cause) {
        report(cause);
        // What was read before this happened.
        to.flush();
        ctx.close();
    }

    private static void report(Throwable cause) {
        System.err.println("closing a connection: " + cause.getMessage());
    }
}
