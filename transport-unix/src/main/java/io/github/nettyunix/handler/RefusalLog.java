package io.github.nettyunix.handler;

import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.internal.logging.InternalLogger;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Handles refusals that no other handler in the pipeline has handled. Netty's own tail would log a warning with a stack
 * trace for each, as often as a refused peer reconnects.
 */
@Sharable
final class RefusalLog extends ChannelInboundHandlerAdapter {
    private final InternalLogger logger;
    private final long interval;
    private final AtomicLong next = new AtomicLong(System.nanoTime());
    private final AtomicLong unlogged = new AtomicLong();

    RefusalLog(InternalLogger logger, long interval) {
        this.logger = logger;
        this.interval = interval;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof PeerRefusedException) {
            String line = line(cause.getMessage());
            if (line != null) {
                logger.warn(line);
            }
        } else {
            ctx.fireExceptionCaught(cause);
        }
    }

    /** Returns the line to log; {@code null} if it is too soon after the last line. */
    String line(String refusal) {
        long now = System.nanoTime();
        long due = next.get();
        if (now - due < 0 || !next.compareAndSet(due, now + interval)) {
            unlogged.incrementAndGet();
            return null;
        }
        long more = unlogged.getAndSet(0);
        return more == 0 ? refusal : refusal + " (" + more + " more were not logged)";
    }
}
