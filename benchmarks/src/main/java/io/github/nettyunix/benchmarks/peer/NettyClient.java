package io.github.nettyunix.benchmarks.peer;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import org.HdrHistogram.Histogram;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A client on one event loop, on which everything except {@link #run} happens. */
abstract class NettyClient implements JavaSystem.Client {
    private EventLoop loop;
    private List<Channel> channels;
    private CompletableFuture<JavaSystem.Outcome> outcome;
    private long start;
    private long duration;

    /** Messages or connections in this round. */
    long messages;
    /** How many of them were wrong. */
    long errors;

    /** The handler of a new connection. */
    ChannelHandler newHandler() {
        return new ChannelInboundHandlerAdapter();
    }

    /** Starts a round. Most clients also call it to continue. */
    abstract void proceed();

    final void setUp(EventLoop loop, List<Channel> channels) {
        this.loop = loop;
        this.channels = channels;
    }

    final List<Channel> channels() {
        return channels;
    }

    @Override
    public final JavaSystem.Outcome run(long nanos) throws Exception {
        CompletableFuture<JavaSystem.Outcome> result = new CompletableFuture<>();
        loop.execute(() -> {
            outcome = result;
            messages = 0;
            errors = 0;
            duration = nanos;
            start = System.nanoTime();
            try {
                proceed();
            } catch (Throwable t) {
                fail(t);
            }
        });
        return result.get();
    }

    /** Whether the round has lasted long enough. */
    final boolean isOver(long now) {
        return now - start >= duration;
    }

    final void done(Histogram latencies) {
        outcome.complete(new JavaSystem.Outcome(messages, System.nanoTime() - start, errors, latencies));
    }

    final void fail(Throwable cause) {
        outcome.completeExceptionally(cause);
    }
}
