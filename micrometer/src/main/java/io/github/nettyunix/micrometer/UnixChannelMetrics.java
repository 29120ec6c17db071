package io.github.nettyunix.micrometer;

import io.github.nettyunix.UnixMetrics;
import io.github.nettyunix.UnixTransport;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.netty.channel.Channel;

import java.util.List;

/**
 * The counters of one channel as meters, for channels that live long and are few, such as a server or a bound datagram
 * channel:
 * <pre>{@code
 * new UnixChannelMetrics(channel, Tags.of("socket", "log")).bindTo(registry);
 * }</pre>
 * The meters are removed when the channel closes, so that a registry does not fill up with those of closed channels.
 * For connections, whose number is not limited, {@link UnixEventLoopMetrics} are the better choice.
 *
 * <p>The meters are {@link io.micrometer.core.instrument.FunctionCounter}s. Their names begin with {@code
 * netty.unix.channel.}; see {@link UnixMetrics} for what each of them counts.
 */
public final class UnixChannelMetrics implements MeterBinder {
    private final Channel channel;
    private final UnixMetrics metrics;
    private final Tags tags;

    /**
     * Creates the binder.
     *
     * @param channel a channel of this transport
     * @param tags tags that no other channel has
     * @throws IllegalArgumentException if the channel belongs to another transport
     */
    public UnixChannelMetrics(Channel channel, Iterable<Tag> tags) {
        this.channel = channel;
        metrics = UnixTransport.metrics(channel);
        this.tags = Tags.of(tags);
    }

    /**
     * Registers the meters until the channel closes.
     *
     * @param registry where to register them
     */
    @Override
    public void bindTo(MeterRegistry registry) {
        List<Meter> meters = Meters.register(registry, "netty.unix.channel.", channel, metrics, tags);
        channel.closeFuture().addListener(closed -> meters.forEach(registry::remove));
    }
}
