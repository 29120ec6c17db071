package io.github.nettyunix.benchmarks;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;

import static io.github.nettyunix.benchmarks.Operation.CONNECT;
import static io.github.nettyunix.benchmarks.Operation.DESCRIPTORS;
import static io.github.nettyunix.benchmarks.Operation.ECHO;
import static io.github.nettyunix.benchmarks.Operation.FILE;
import static io.github.nettyunix.benchmarks.Operation.IN_PLACE;
import static io.github.nettyunix.benchmarks.Operation.ONE_WAY;
import static io.github.nettyunix.benchmarks.Operation.SHARED;
import static io.github.nettyunix.benchmarks.Type.DATAGRAM;
import static io.github.nettyunix.benchmarks.Type.MEMORY;
import static io.github.nettyunix.benchmarks.Type.SEQPACKET;
import static io.github.nettyunix.benchmarks.Type.STREAM;
import static io.github.nettyunix.benchmarks.Waiting.LOOK;
import static io.github.nettyunix.benchmarks.Waiting.SLEEP;
import static io.github.nettyunix.benchmarks.Waiting.SPIN;
import static io.github.nettyunix.benchmarks.Workload.Measure.LATENCY;
import static io.github.nettyunix.benchmarks.Workload.Measure.RATE;
import static io.github.nettyunix.benchmarks.Workload.Measure.THROUGHPUT;

/**
 * What is measured.
 *
 * @param id its name on the command line and in the JSON rows
 * @param size the size of a message in bytes
 * @param count the number of connections, or of descriptors per message
 */
public record Workload(String id, String title, Operation operation, Type type, int size, int count, Waiting waiting,
                       Measure measure) {
    /** What a round yields. */
    public enum Measure {
        /** Messages, round trips or connections per second. */
        RATE("/s", true),
        /** Bytes per second. */
        THROUGHPUT("GB/s", true),
        /** Descriptors per second. */
        DESCRIPTORS("fds/s", true),
        /** Percentiles of the time of a round trip. */
        LATENCY("us", false),
        /** What an idle connection takes of the server's memory. */
        MEMORY("bytes", false);

        public final String unit;
        public final boolean moreIsBetter;

        Measure(String unit, boolean moreIsBetter) {
            this.unit = unit;
            this.moreIsBetter = moreIsBetter;
        }
    }

    private static final int HUGE = 16 << 20;

    public static final List<Workload> ALL = List.of(
            new Workload("ping-pong-stream", "ping-pong, stream, 64 B", ECHO, STREAM, 64, 1, SLEEP, LATENCY),
            new Workload("ping-pong-stream-spinning", "ping-pong, stream, 64 B, both sides spinning",
                    ECHO, STREAM, 64, 1, SPIN, LATENCY),
            new Workload("ping-pong-seqpacket", "ping-pong, seqpacket, 64 B", ECHO, SEQPACKET, 64, 1, SLEEP, LATENCY),
            new Workload("ping-pong-seqpacket-spinning", "ping-pong, seqpacket, 64 B, both sides spinning",
                    ECHO, SEQPACKET, 64, 1, SPIN, LATENCY),
            new Workload("one-way-stream-64", "one way, stream, 64 B", ONE_WAY, STREAM, 64, 1, RATE),
            new Workload("one-way-stream-1k", "one way, stream, 1 KiB", ONE_WAY, STREAM, 1024, 1, RATE),
            new Workload("one-way-stream-64k", "one way, stream, 64 KiB", ONE_WAY, STREAM, 65_536, 1, RATE),
            new Workload("one-way-seqpacket-64", "one way, seqpacket, 64 B", ONE_WAY, SEQPACKET, 64, 1, RATE),
            new Workload("one-way-seqpacket-1k", "one way, seqpacket, 1 KiB", ONE_WAY, SEQPACKET, 1024, 1, RATE),
            new Workload("one-way-seqpacket-64k", "one way, seqpacket, 64 KiB", ONE_WAY, SEQPACKET, 65_536, 1, RATE),
            new Workload("one-way-datagram-64", "one way, datagram, 64 B", ONE_WAY, DATAGRAM, 64, 1, RATE),
            new Workload("one-way-datagram-1k", "one way, datagram, 1 KiB", ONE_WAY, DATAGRAM, 1024, 1, RATE),
            new Workload("one-way-datagram-64k", "one way, datagram, 64 KiB", ONE_WAY, DATAGRAM, 65_536, 1, RATE),
            new Workload("echo-1", "echo, stream, 64 B, connections: 1", ECHO, STREAM, 64, 1, RATE),
            new Workload("echo-16", "echo, stream, 64 B, connections: 16", ECHO, STREAM, 64, 16, RATE),
            new Workload("echo-256", "echo, stream, 64 B, connections: 256", ECHO, STREAM, 64, 256, RATE),
            new Workload("echo-4096", "echo, stream, 64 B, connections: 4096", ECHO, STREAM, 64, 4096, RATE),
            new Workload("connections", "connect + 1 byte + close, stream", CONNECT, STREAM, 1, 1, RATE),
            new Workload("fds-1", "file descriptors, 1 per message, stream",
                    DESCRIPTORS, STREAM, 64, 1, Measure.DESCRIPTORS),
            new Workload("fds-16", "file descriptors, 16 per message, stream",
                    DESCRIPTORS, STREAM, 64, 16, Measure.DESCRIPTORS),
            new Workload("fds-1-seqpacket", "file descriptors, 1 per message, seqpacket",
                    DESCRIPTORS, SEQPACKET, 64, 1, Measure.DESCRIPTORS),
            new Workload("fds-16-seqpacket", "file descriptors, 16 per message, seqpacket",
                    DESCRIPTORS, SEQPACKET, 64, 16, Measure.DESCRIPTORS),
            new Workload("payload-16m", "16 MiB payloads, stream", ONE_WAY, STREAM, HUGE, 1, THROUGHPUT),
            new Workload("payload-16m-memfd", "16 MiB payloads, copied into a memfd that is passed over a stream",
                    SHARED, STREAM, HUGE, 1, THROUGHPUT),
            new Workload("file-region", "16 MiB files as a FileRegion, stream", FILE, STREAM, HUGE, 1, THROUGHPUT),
            new Workload("idle-10000", "memory of an idle connection, stream, of 10 000",
                    ECHO, STREAM, 64, 10_000, Measure.MEMORY),
            new Workload("ping-pong-memory", "ping-pong, shared memory, 64 B", ECHO, MEMORY, 64, 1, SLEEP, LATENCY),
            new Workload("ping-pong-memory-looking", "ping-pong, shared memory, 64 B, both sides looking for 50 us",
                    ECHO, MEMORY, 64, 1, LOOK, LATENCY),
            new Workload("ping-pong-memory-spinning", "ping-pong, shared memory, 64 B, both sides spinning",
                    ECHO, MEMORY, 64, 1, SPIN, LATENCY),
            new Workload("one-way-memory-64", "one way, shared memory, 64 B", ONE_WAY, MEMORY, 64, 1, RATE),
            new Workload("one-way-memory-1k", "one way, shared memory, 1 KiB", ONE_WAY, MEMORY, 1024, 1, RATE),
            new Workload("one-way-memory-64k", "one way, shared memory, 64 KiB", ONE_WAY, MEMORY, 65_536, 1, RATE),
            new Workload("one-way-memory-64k-in-place", "one way, shared memory, 64 KiB, built in place",
                    IN_PLACE, MEMORY, 65_536, 1, RATE),
            new Workload("payload-16m-memory", "16 MiB payloads in parts, shared memory",
                    ONE_WAY, MEMORY, HUGE, 1, THROUGHPUT));

    /** The ids of one workload of each kind. */
    public static final Set<String> QUICK = Set.of("ping-pong-stream", "ping-pong-stream-spinning",
            "ping-pong-seqpacket", "one-way-stream-64", "one-way-seqpacket-64", "one-way-seqpacket-64k",
            "one-way-datagram-64", "one-way-datagram-64k", "echo-16", "echo-256", "connections", "fds-1", "fds-16",
            "payload-16m-memfd", "one-way-memory-64", "ping-pong-memory-looking");

    private Workload(String id, String title, Operation operation, Type type, int size, int count, Measure measure) {
        this(id, title, operation, type, size, count, SLEEP, measure);
    }

    Settings settings(Path folder) {
        return new Settings(operation, type, size, count, waiting, folder);
    }

    /** The same workload with another number of connections. */
    Workload withCount(int newCount) {
        return new Workload(id, title, operation, type, size, newCount, waiting, measure);
    }

    /** The same workload on something else. */
    Workload withType(Type other) {
        return new Workload(id, title, operation, other, size, count, waiting, measure);
    }
}
