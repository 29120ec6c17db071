package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.UnixErrno;
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
 * Forwards what one side of a pair sends to the other: bytes or records, descriptors, and the end. Each side has a
 * relay, and both are on the same event loop. Their channels allow half-closure and stay open after a failed write,
 * because data that a peer sent before it went away must still be read.
 */
final class Relay extends ChannelInboundHandlerAdapter {
    /** The maximum delay until the proxy notices that a peer which accepts nothing more is gone altogether. */
    private static final long GONE_MILLIS = 50;

    private final DuplexChannel to;
    private final Traffic traffic;
    private final SenderCredentials credentials;
    // Pending work that must finish before the end can be forwarded.
    private ChannelFuture last;
    private int longest;

    /**
     * @param to the other side
     * @param before a future to wait for before anything is forwarded
     * @param credentials decides which credentials messages are sent with, or {@code null}
     */
    Relay(DuplexChannel to, ChannelFuture before, Traffic traffic, SenderCredentials credentials) {
        this.to = to;
        this.traffic = traffic;
        this.credentials = credentials;
        last = before;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        int bytes = message instanceof UnixMessage unix ? unix.content().readableBytes()
                : ((ByteBuf) message).readableBytes();
        int fds = message instanceof UnixMessage unix ? unix.fileDescriptors().size() : 0;
        if (to instanceof UnixSeqpacketChannel && bytes > longest) {
            longest = bytes;
            SendBuffer.makeRoom(to, bytes);
        }
        if (credentials != null && message instanceof UnixMessage unix) {
            last = to.writeAndFlush(
                    credentials.replace(unix, unix.credentials(), last.isDone(), ctx.channel().eventLoop()));
        } else {
            last = to.write(message);
        }
        last.addListener(future -> {
            if (future.isSuccess()) {
                traffic.add(bytes, fds);
            } else if (to.isActive() && !to.isOutputShutdown()) {
                // Only this record was refused, and nothing may take its place. On a direct connection, its sender
                // would have received an error.
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

    /** If this side's buffers are full, stops reading from the other side, which feeds it; otherwise resumes. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (!ctx.channel().isWritable()) {
            to.config().setAutoRead(false);
            return;
        }
        // Later, because failed writes free room as well: only then is it known whether this side accepts anything
        // more.
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
            // Either the other side has ended and its end was forwarded, or this side accepts nothing more, which the
            // other side learns from EPIPE.
            to.shutdownInput();
            if (to.isOutputShutdown()) {
                ctx.close();
                to.close();
            } else {
                // Data from the other side cannot be delivered. If this side is gone altogether, the data stays unread,
                // so that closing resets the other connection as well. Otherwise it is discarded, so that it does not
                // fill the buffers.
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
        if (cause instanceof UnixSocketError error && error.error() == UnixErrno.ECONNRESET) {
            // A peer has closed without reading everything. A proxy can pass this on only by closing while there is
            // unread data. If the other side has sent nothing more, it sees a clean end.
            to.config().setAutoRead(false);
            to.flush();
            ctx.close();
        } else {
            fail(ctx, cause);
        }
    }

    private void fail(ChannelHandlerContext ctx, Throwable cause) {
        report(cause);
        // Data that was read before this happened.
        to.flush();
        ctx.close();
    }

    private static void report(Throwable cause) {
        System.err.println("closing a connection: " + cause.getMessage());
    }
}
