package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.github.nettyunix.internal.readiness.Interest;
import io.github.nettyunix.testing.Channels;
import io.netty.channel.Channel;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

@Tag("once")
class WriteScheduleTest {
    /** All that WriteSchedule needs of a channel to start a delay. */
    private static ChannelCore coreOf(Channel channel) {
        ChannelCounts counts = new ChannelCounts();
        counts.registered(channel.eventLoop());
        Map<String, Object> results = Map.of("channel", channel, "counts", counts);
        return (ChannelCore) Proxy.newProxyInstance(ChannelCore.class.getClassLoader(),
                new Class<?>[] {ChannelCore.class}, (proxy, method, arguments) -> results.get(method.getName()));
    }

    @Test
    void onlyOneDelayIsPendingAndWritesWaitForIt() throws Exception {
        Channel channel = Channels.register(new UnixServerStreamChannel());
        ChannelCore core = coreOf(channel);
        WriteSchedule schedule = new WriteSchedule(core, new Interest(core));
        channel.eventLoop().submit(() -> {
            schedule.retryAfter(1, TimeUnit.HOURS);
            schedule.retryAfter(1, TimeUnit.NANOSECONDS);
        }).sync();
        // It is due after the shorter delay, which must not have been started.
        assertTrue(channel.eventLoop().schedule(schedule::isWaiting, 1, TimeUnit.MILLISECONDS).get());
        channel.eventLoop().submit(schedule::cancelRetry).sync();
        assertFalse(channel.eventLoop().submit(schedule::isWaiting).get());
        channel.close().sync();
    }
}
