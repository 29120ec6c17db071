package io.github.nettyunix.micrometer;

import io.github.nettyunix.UnixTransport;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;

import java.util.List;

/**
 * The counters of event loops as meters:
 * <pre>{@code
 * new UnixEventLoopMetrics(group).bindTo(registry);
 * }</pre>
 * Each event loop of the group has meters of its own, with its index as the tag {@code event.loop}; their sums are
 * those of all channels of the group, including closed ones. Reading a meter costs the event loop nothing.
 *
 * <p>The meters are {@link io.micrometer.core.instrument.FunctionCounter}s. Their names begin with {@code netty.unix.};
 * see {@link io.github.nettyunix.UnixMetrics} for what each of them counts.
 */
public final class UnixEventLoopMetrics implements MeterBinder {
    private final EventLoopGroup group;
    private final Tags tags;

    /**
     * Creates the binder.
     *
     * @param group an event loop, or a group of them
     */
    public UnixEventLoopMetrics(EventLoopGroup group) {
        this(group, List.of());
    }

    /**
     * Creates the binder.
     *
     * @param group an event loop, or a group of them
     * @param tags the tags of all meters, for example the group's name if the application has several
     */
    public UnixEventLoopMetrics(EventLoopGroup group, Iterable<Tag> tags) {
        this.group = group;
        this.tags = Tags.of(tags);
    }

    /**
     * Registers the meters.
     *
     * @param registry where to register them
     */
    @Override
    public void bindTo(MeterRegistry registry) {
        int index = 0;
        for (EventExecutor executor : group) {
            EventLoop loop = (EventLoop) executor;
            Meters.register(registry, "netty.unix.", loop, UnixTransport.metrics(loop),
                    tags.and("event.loop", String.valueOf(index)));
            index++;
        }
    }
}
