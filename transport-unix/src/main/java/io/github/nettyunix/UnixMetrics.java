package io.github.nettyunix;

import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.metrics.Counts;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FileRegion;

import java.util.StringJoiner;

/**
 * Counters of a channel, or of all channels of an event loop. {@link UnixTransport#metrics(Channel)} and
 * {@link UnixTransport#metrics(EventLoop)} return them. Those of an event loop are the sums of what channels have
 * counted while they were registered with it; channels that have been closed since are included.
 *
 * <p>All methods may be called on any thread, allocate nothing, and cost the event loop nothing: it counts with
 * ordinary stores, once per batch of messages. Each value only grows. A value that is read on another thread may be a
 * moment old, and values that are read one after the other need not belong to the same moment. What has completed a
 * promise, or has reached a handler, is counted before.
 *
 * <p>Counters start at 0 with the channel or the event loop, and remain readable when it is closed.
 */
public final class UnixMetrics {
    private final Counts counts;

    UnixMetrics(Counts counts) {
        this.counts = counts;
    }

    /**
     * Returns how many messages were received: records, datagrams, or on a stream the buffers and messages that reads
     * have delivered, which do not correspond to the writes of the peer. Truncated messages do not count.
     *
     * @return the number
     */
    public long messagesReceived() {
        return counts.get(Counter.MESSAGES_RECEIVED);
    }

    /**
     * Returns how many messages the kernel has taken completely: records, datagrams, or on a stream the buffers,
     * messages and {@link FileRegion}s that were written. Empty buffers on a stream do not count. The recipient of a
     * datagram need not have read it yet.
     *
     * @return the number
     */
    public long messagesSent() {
        return counts.get(Counter.MESSAGES_SENT);
    }

    /**
     * Returns how many bytes were received in {@link #messagesReceived()}.
     *
     * @return the number of bytes
     */
    public long bytesReceived() {
        return counts.get(Counter.BYTES_RECEIVED);
    }

    /**
     * Returns how many bytes the kernel has taken, also of messages that it has not taken completely yet.
     *
     * @return the number of bytes
     */
    public long bytesSent() {
        return counts.get(Counter.BYTES_SENT);
    }

    /**
     * Returns how many descriptors messages have brought. The pidfds of senders, and descriptors that were lost with
     * truncated messages, do not count.
     *
     * @return the number
     */
    public long fileDescriptorsReceived() {
        return counts.get(Counter.DESCRIPTORS_RECEIVED);
    }

    /**
     * Returns how many descriptors the kernel has taken.
     *
     * @return the number
     */
    public long fileDescriptorsSent() {
        return counts.get(Counter.DESCRIPTORS_SENT);
    }

    /**
     * Returns how many received descriptors handlers of {@link io.github.nettyunix.handler} have refused, and closed,
     * each with a {@link io.github.nettyunix.handler.FileDescriptorRefusedException} for its message.
     *
     * @return the number
     */
    public long fileDescriptorsRefused() {
        return counts.get(Counter.DESCRIPTORS_REFUSED);
    }

    /**
     * Returns how many received descriptors were closed because no handler has taken them: their message has reached
     * the end of the pipeline, was not delivered before the channel was closed, or they were still in a
     * {@link io.github.nettyunix.handler.FileDescriptorQueueHandler} then. Descriptors that a handler has received and
     * released count as taken.
     *
     * @return the number
     */
    public long fileDescriptorsUnclaimed() {
        return counts.get(Counter.DESCRIPTORS_UNCLAIMED);
    }

    /**
     * Returns how many messages were lost because they were longer than {@link UnixSocketOption#MAX_MESSAGE_SIZE}. Each
     * has raised a {@link MessageTruncatedException}.
     *
     * @return the number
     */
    public long truncatedMessages() {
        return counts.get(Counter.TRUNCATED_MESSAGES);
    }

    /**
     * Returns how many messages were lost because they brought more descriptors than
     * {@link UnixSocketOption#MAX_FILE_DESCRIPTORS_PER_MESSAGE} or the process's limit of open files permits. Each has
     * raised a {@link ControlDataTruncatedException}.
     *
     * @return the number
     */
    public long truncatedControlData() {
        return counts.get(Counter.TRUNCATED_CONTROL_DATA);
    }

    /**
     * Returns how many datagrams {@link DatagramQueueFull#DROP} has dropped.
     *
     * @return the number
     */
    public long droppedMessages() {
        return counts.get(Counter.DROPPED_MESSAGES);
    }

    /**
     * Returns how often the kernel accepted no more, so that written messages had to wait for a peer to read. On a
     * datagram channel, a recipient that is tried again and still has no room counts again, and so do datagrams that
     * wait because too many descriptors are in flight. If there are many waits per message, a peer is slow, or
     * {@link ChannelOption#SO_SNDBUF} small.
     *
     * @return the number
     */
    public long writeWaits() {
        return counts.get(Counter.WRITE_WAITS);
    }

    /**
     * Returns how often a write on a connection was put off for a moment, because too many descriptors were in flight
     * (ETOOMANYREFS), because the kernel had no buffers (ENOBUFS; macOS and the BSDs), or because a {@link FileRegion}
     * of another class than {@link io.netty.channel.DefaultFileRegion} had nothing to transfer yet.
     *
     * @return the number
     */
    public long writeRetries() {
        return counts.get(Counter.WRITE_RETRIES);
    }

    /**
     * Returns how often a read, or on a server an accept, was repeated after a delay because it had failed.
     *
     * @return the number
     */
    public long readRetries() {
        return counts.get(Counter.READ_RETRIES);
    }

    /**
     * Returns how many connections a server has accepted.
     *
     * @return the number
     */
    public long acceptedConnections() {
        return counts.get(Counter.ACCEPTED_CONNECTIONS);
    }

    /**
     * Returns how often a server could not accept a connection, for example at the process's limit of open files. A
     * failure that repeats itself is reported to the pipeline once, but counts each time.
     *
     * @return the number
     */
    public long acceptErrors() {
        return counts.get(Counter.ACCEPT_ERRORS);
    }

    /**
     * Returns how often a connect was repeated because the server's backlog was full. Linux: other platforms refuse
     * such a connect.
     *
     * @return the number
     */
    public long connectRetries() {
        return counts.get(Counter.CONNECT_RETRIES);
    }

    /** Returns the counters that are not 0. */
    @Override
    public String toString() {
        StringJoiner text = new StringJoiner(", ", "UnixMetrics(", ")");
        for (Counter counter : Counter.values()) {
            long value = counts.get(counter);
            if (value != 0) {
                text.add(counter + ": " + value);
            }
        }
        return text.toString();
    }
}
