package io.github.nettyunix.fire;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMetrics;
import io.github.nettyunix.UnixTransport;
import io.netty.channel.Channel;

import java.util.Collection;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Compares what channels have counted with what their handlers saw, for the channels of a connection, or for all
 * channels that have received datagrams. The channels are closed.
 */
final class CounterOracle {
    private final Scenario scenario;
    private final List<UnixMetrics> counters;
    private final Collection<Observed> seen;

    CounterOracle(Scenario scenario, Collection<Channel> channels, Collection<Observed> seen) {
        this.scenario = scenario;
        this.seen = seen;
        counters = channels.stream().map(UnixTransport::metrics).toList();
    }

    /** @param refused how many descriptors handlers have refused; -1 if that is not known */
    void check(int refused) throws Oracle.Violation {
        checkSent();
        if (!scenario.plainDescriptors && !scenario.switchesMode && scenario.guard != Scenario.Guard.REFUSES_PEER) {
            checkReceived(refused);
        }
    }

    private void checkSent() throws Oracle.Violation {
        Sums whole = new Sums();
        // Of a message that has failed, a stream may have sent a part.
        Sums parts = new Sums();
        for (Observed one : seen) {
            for (Observed.Written message : one.written) {
                if (message.future().isSuccess()) {
                    whole.add(message.length(), message.descriptors().size());
                } else if (scenario.type == SocketType.STREAM && !message.isSkipped()) {
                    parts.add(message.length(), message.descriptors().size());
                }
            }
        }
        long dropped = sum(UnixMetrics::droppedMessages);
        expect("messages sent, and datagrams dropped", whole.messages, 0, sum(UnixMetrics::messagesSent) + dropped);
        if (dropped == 0) {
            expect("bytes sent", whole.bytes, parts.bytes, sum(UnixMetrics::bytesSent));
            expect("descriptors sent", whole.descriptors, parts.descriptors, sum(UnixMetrics::fileDescriptorsSent));
        }
    }

    private void checkReceived(int refused) throws Oracle.Violation {
        Sums delivered = new Sums();
        long messages = 0;
        long controlData = 0;
        boolean closedEarly = false;
        for (Observed one : seen) {
            closedEarly |= one.closedHere || Oracle.isDisconnected(scenario, one);
            for (Observed.Event event : one.events) {
                if (event.cause() == null) {
                    delivered.add(event.length(), event.descriptors() == null ? 0 : event.descriptors().size());
                }
                messages += event.cause() instanceof MessageTruncatedException ? 1 : 0;
                controlData += event.cause() instanceof ControlDataTruncatedException ? 1 : 0;
            }
        }
        // What a channel has received and not delivered when it is closed is counted nevertheless.
        long more = closedEarly ? Long.MAX_VALUE : 0;
        // A message that a handler refuses never gets here, but an exception in its place.
        long undelivered = scenario.guard == Scenario.Guard.NONE ? more : Long.MAX_VALUE;
        expect("messages received", delivered.messages, undelivered, sum(UnixMetrics::messagesReceived));
        expect("bytes received", delivered.bytes, undelivered, sum(UnixMetrics::bytesReceived));
        expect("messages that were too long", messages, more, sum(UnixMetrics::truncatedMessages));
        expect("messages with too many descriptors", controlData, more, sum(UnixMetrics::truncatedControlData));
        long counted = sum(UnixMetrics::fileDescriptorsRefused);
        if (refused >= 0) {
            expect("descriptors refused", refused, more, counted);
        }
        expect("descriptors taken, refused and unclaimed",
                delivered.descriptors + counted + sum(UnixMetrics::fileDescriptorsUnclaimed), more,
                sum(UnixMetrics::fileDescriptorsReceived));
    }

    private long sum(ToLongFunction<UnixMetrics> counter) {
        return counters.stream().mapToLong(counter).sum();
    }

    private static void expect(String what, long least, long more, long counted) throws Oracle.Violation {
        if (counted < least || counted - least > more) {
            throw new Oracle.Violation("the counters say " + counted + " " + what + ", and " + least + " were seen");
        }
    }

    private static final class Sums {
        long messages;
        long bytes;
        long descriptors;

        void add(int length, int count) {
            messages++;
            bytes += length;
            descriptors += count;
        }
    }
}
