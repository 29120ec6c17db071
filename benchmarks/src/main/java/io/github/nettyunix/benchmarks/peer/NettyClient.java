package io.github.nettyunix.benchmarks.peer;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A client on one event loop, on which all but {@link #run} happens. */
abstract class NettyClient implements Client {
    private EventLoop loop;
    private List<Channel> channels;
    private CompletableFuture<Outcome> outcome;
    private long start;
    private long duration;

    abstract ChannelHandler newHandler();

    /** Begins a round. */
    abstract void start(List<Channel> channels);

    final void setUp(EventLoop loop, List<Channel> channels) {
        this.loop = loop;
        this.channels = channels;
    }

    @Override
    public final Outcome run(long nanos) throws Exception {
        CompletableFuture<Outcome> result = new CompletableFuture<>();
        loop.execute(() -> {
            outcome = result;
            duration = nanos;
            start = System.nanoTime();
            try {
                start(channels);
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

    final void done(long messages, long errors, int[] latencies) {
        outcome.complete(new Outcome(messages, System.nanoTime() - start, errors, latencies));
    }

    final void fail(Throwable cause) {
        outcome.completeExceptionally(cause);
    }
}
