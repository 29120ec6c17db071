package io.github.nettyunix.testing;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

/** The last handler of a pipeline: records what arrives, in order, for the test to take. */
public class RecordingHandler extends ChannelInboundHandlerAdapter {
    private static final long TIMEOUT_SECONDS = 60;

    /** Stands in the queue where the channel became inactive. */
    public static final Object INACTIVE = new Object() {
        @Override
        public String toString() {
            return "INACTIVE";
        }
    };

    private final BlockingQueue<Object> arrived = new LinkedBlockingQueue<>();
    private final CompletableFuture<Channel> active = new CompletableFuture<>();

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        active.complete(ctx.channel());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        arrived.add(message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        arrived.add(cause);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        arrived.add(event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        arrived.add(INACTIVE);
    }

    /** Waits until the channel of this handler is active, and returns it. */
    public Channel channel() {
        try {
            return active.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("no channel has become active", e);
        }
    }

    /** Returns the next message, exception (a Throwable), user event or {@link #INACTIVE}; the caller releases it. */
    public Object take() {
        try {
            Object next = arrived.poll(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            assertNotNull(next, "nothing arrived in " + TIMEOUT_SECONDS + " s");
            return next;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Returns the next one, which must be of this class. */
    public <T> T take(Class<T> type) {
        Object next = take();
        if (next instanceof Throwable && !type.isInstance(next)) {
            throw new AssertionError("expected " + type.getSimpleName(), (Throwable) next);
        }
        return assertInstanceOf(type, next);
    }

    /** Whether everything that has arrived was taken. */
    public boolean isEmpty() {
        return arrived.isEmpty();
    }

    /** Releases everything that was not taken. */
    public void release() {
        for (Object next; (next = arrived.poll()) != null;) {
            ReferenceCountUtil.release(next);
        }
    }
}
