package io.github.nettyunix.micrometer;

import io.github.nettyunix.UnixMetrics;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.BaseUnits;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/** Registers a meter for each counter. */
final class Meters {
    private static final String DIRECTION = "direction";
    private static final String RECEIVED = "received";
    private static final String SENT = "sent";

    private final MeterRegistry registry;
    private final String prefix;
    private final Object owner;
    private final UnixMetrics metrics;
    private final Tags tags;
    private final List<Meter> meters = new ArrayList<>();

    /** @param owner what is counted; the registry does not keep it in memory, but its counters */
    private Meters(MeterRegistry registry, String prefix, Object owner, UnixMetrics metrics,
            Iterable<Tag> tags) {
        this.registry = registry;
        this.prefix = prefix;
        this.owner = owner;
        this.metrics = metrics;
        this.tags = Tags.of(tags);
    }

    static List<Meter> register(MeterRegistry registry, String prefix, Object owner, UnixMetrics metrics,
            Iterable<Tag> tags) {
        Meters meters = new Meters(registry, prefix, owner, metrics, tags);
        meters.registerTraffic();
        meters.registerLosses();
        meters.registerDelays();
        return meters.meters;
    }

    private void registerTraffic() {
        register("messages", BaseUnits.MESSAGES, "Messages that were received, or that the kernel has taken",
                UnixMetrics::messagesReceived, DIRECTION, RECEIVED);
        register("messages", BaseUnits.MESSAGES, "Messages that were received, or that the kernel has taken",
                UnixMetrics::messagesSent, DIRECTION, SENT);
        register("data", BaseUnits.BYTES, "Bytes that were received, or that the kernel has taken",
                UnixMetrics::bytesReceived, DIRECTION, RECEIVED);
        register("data", BaseUnits.BYTES, "Bytes that were received, or that the kernel has taken",
                UnixMetrics::bytesSent, DIRECTION, SENT);
        register("file.descriptors", null, "Descriptors that were received, or that the kernel has taken",
                UnixMetrics::fileDescriptorsReceived, DIRECTION, RECEIVED);
        register("file.descriptors", null, "Descriptors that were received, or that the kernel has taken",
                UnixMetrics::fileDescriptorsSent, DIRECTION, SENT);
        register("connections.accepted", null, "Connections that servers have accepted",
                UnixMetrics::acceptedConnections);
    }

    private void registerLosses() {
        register("file.descriptors.refused", null, "Received descriptors that handlers have refused",
                UnixMetrics::fileDescriptorsRefused);
        register("file.descriptors.unclaimed", null, "Received descriptors that no handler has taken",
                UnixMetrics::fileDescriptorsUnclaimed);
        register("truncations", null, "Messages that were lost because they, or their control data, exceeded a limit",
                UnixMetrics::truncatedMessages, "part", "content");
        register("truncations", null, "Messages that were lost because they, or their control data, exceeded a limit",
                UnixMetrics::truncatedControlData, "part", "control_data");
        register("messages.dropped", null, "Datagrams that were dropped, as DATAGRAM_QUEUE_FULL says",
                UnixMetrics::droppedMessages);
        register("accept.errors", null, "Failures to accept a connection", UnixMetrics::acceptErrors);
    }

    private void registerDelays() {
        register("write.waits", null, "How often messages had to wait for a peer to read", UnixMetrics::writeWaits);
        register("retries", null, "Operations that were repeated after a delay", UnixMetrics::readRetries,
                "operation", "read");
        register("retries", null, "Operations that were repeated after a delay", UnixMetrics::writeRetries,
                "operation", "write");
        register("retries", null, "Operations that were repeated after a delay", UnixMetrics::connectRetries,
                "operation", "connect");
    }

    private void register(String name, String unit, String description, ToLongFunction<UnixMetrics> counter,
            String... moreTags) {
        // A meter refers to its owner weakly. The function must therefore have its own reference to the counters.
        UnixMetrics counted = metrics;
        meters.add(FunctionCounter.builder(prefix + name, owner, ignored -> counter.applyAsLong(counted))
                .description(description).baseUnit(unit).tags(tags.and(moreTags)).register(registry));
    }
}
