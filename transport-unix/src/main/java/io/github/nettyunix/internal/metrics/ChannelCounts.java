package io.github.nettyunix.internal.metrics;

import io.github.nettyunix.SocketType;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;

import java.util.concurrent.RejectedExecutionException;

/**
 * The counters of a channel. Everything is counted for the channel's event loop as well, so that the loop's counters
 * include channels that are closed. Only the event loop counts.
 */
public final class ChannelCounts extends Counts {
    /** What has counters. */
    public interface Owner {
        ChannelCounts counts();
    }

    static {
        FlightEvents.initialize();
    }

    private Counts loop;

    public ChannelCounts() {
        super(0);
    }

    /** The channel was registered. */
    public void registered(EventLoop eventLoop) {
        loop = LoopCounts.of(eventLoop);
    }

    /** Messages have been received; counted before any handler sees them. */
    public void received(int messages, long bytes, int descriptors) {
        count(Counter.MESSAGES_RECEIVED, messages);
        count(Counter.BYTES_RECEIVED, bytes);
        if (descriptors > 0) {
            count(Counter.DESCRIPTORS_RECEIVED, descriptors);
        }
    }

    /** The kernel has taken messages; counted before their promises are completed. */
    public void sent(int messages, long bytes, int descriptors) {
        count(Counter.MESSAGES_SENT, messages);
        count(Counter.BYTES_SENT, bytes);
        if (descriptors > 0) {
            count(Counter.DESCRIPTORS_SENT, descriptors);
        }
    }

    /** Counts something else that has happened once. */
    public void count(Counter counter) {
        count(counter, 1);
    }

    private void count(Counter counter, long number) {
        add(counter, number);
        loop.add(counter, number);
    }

    /** Descriptors of a channel are closed, and no handler has taken them. May be called on any thread. */
    public static void unclaimed(Channel channel, int descriptors) {
        countDescriptors(channel, Counter.DESCRIPTORS_UNCLAIMED, descriptors);
    }

    /**
     * A handler has refused descriptors of a channel. May be called on any thread.
     *
     * @param type {@code null} if the channel belongs to another transport
     */
    public static void refused(Channel channel, SocketType type, int descriptors, String reason) {
        countDescriptors(channel, Counter.DESCRIPTORS_REFUSED, descriptors);
        FlightEvents.descriptorsRefused(channel, type, descriptors, reason);
    }

    /** Does nothing if the channel is not registered, or belongs to another transport. */
    private static void countDescriptors(Channel channel, Counter counter, int number) {
        if (number > 0 && channel.unsafe() instanceof Owner owner && channel.isRegistered()) {
            if (channel.eventLoop().inEventLoop()) {
                owner.counts().count(counter, number);
            } else {
                // A handler with an executor of its own.
                try {
                    channel.eventLoop().execute(() -> owner.counts().count(counter, number));
                } catch (RejectedExecutionException e) {
                    // The event loop was shut down. The caller has descriptors to close.
                }
            }
        }
    }
}
