package io.github.nettyunix.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What is measured.
 *
 * @param id its name on the command line and in the JSON rows
 * @param size the bytes of a message
 * @param count connections, or descriptors a message
 */
public record Workload(String id, String title, Operation operation, SocketKind kind, int size, int count, boolean spin,
                       Measure measure) {
    /** What comes out of a round. */
    public enum Measure {
        /** Messages, round trips or connections a second. */
        RATE("/s", true),
        /** Bytes a second. */
        THROUGHPUT("GB/s", true),
        /** Descriptors a second. */
        DESCRIPTORS("fds/s", true),
        /** Percentiles of the time of a round trip. */
        LATENCY("us", false),
        /** Memory of a connection that is idle, in the server's process. */
        MEMORY("bytes", false);

        public final String unit;
        public final boolean moreIsBetter;

        Measure(String unit, boolean moreIsBetter) {
            this.unit = unit;
            this.moreIsBetter = moreIsBetter;
        }
    }

    public static final int SMALL = 64;
    private static final int KIB = 1024;
    private static final int MIB = 1024 * KIB;

    public static final List<Workload> ALL = all();

    /** One of each kind, by their names. */
    public static final Set<String> QUICK = Set.of("ping-pong-stream", "ping-pong-stream-spinning", "ping-pong-seqpacket",
            "one-way-stream-64", "one-way-seqpacket-64", "one-way-seqpacket-64k", "one-way-datagram-64",
            "one-way-datagram-64k", "echo-16", "echo-256", "connections", "fds-1", "fds-16", "payload-16m-memfd");

    private static List<Workload> all() {
        List<Workload> all = new ArrayList<>();
        for (SocketKind kind : List.of(SocketKind.STREAM, SocketKind.SEQPACKET)) {
            all.add(new Workload("ping-pong-" + kind, "ping-pong, " + kind + ", 64 B", Operation.ECHO, kind, SMALL, 1, false,
                    Measure.LATENCY));
            all.add(new Workload("ping-pong-" + kind + "-spinning", "ping-pong, " + kind + ", 64 B, both sides spinning",
                    Operation.ECHO, kind, SMALL, 1, true, Measure.LATENCY));
        }
        for (SocketKind kind : SocketKind.values()) {
            for (int size : new int[] {SMALL, KIB, 64 * KIB}) {
                String suffix = size < KIB ? "-" + size : "-" + size / KIB + 'k';
                String label = size < KIB ? size + " B" : size / KIB + " KiB";
                all.add(new Workload("one-way-" + kind + suffix, "one way, " + kind + ", " + label, Operation.ONE_WAY, kind,
                        size, 1, false, Measure.RATE));
            }
        }
        for (int connections : new int[] {1, 16, 256, 4096}) {
            all.add(new Workload("echo-" + connections, "echo, stream, 64 B, connections: " + connections, Operation.ECHO,
                    SocketKind.STREAM, SMALL, connections, false, Measure.RATE));
        }
        all.add(new Workload("connections", "connect + 1 byte + close, stream", Operation.CONNECT, SocketKind.STREAM, 1, 1,
                false, Measure.RATE));
        for (SocketKind kind : List.of(SocketKind.STREAM, SocketKind.SEQPACKET)) {
            for (int fds : new int[] {1, 16}) {
                String suffix = kind == SocketKind.STREAM ? "" : "-" + kind;
                all.add(new Workload("fds-" + fds + suffix, "file descriptors, " + fds + " a message, " + kind,
                        Operation.DESCRIPTORS, kind, SMALL, fds, false, Measure.DESCRIPTORS));
            }
        }
        all.add(new Workload("payload-16m", "16 MiB payloads, stream", Operation.ONE_WAY, SocketKind.STREAM, 16 * MIB, 1,
                false, Measure.THROUGHPUT));
        all.add(new Workload("payload-16m-memfd", "16 MiB payloads, copied into a memfd that is passed over a stream",
                Operation.SHARED, SocketKind.STREAM, 16 * MIB, 1, false, Measure.THROUGHPUT));
        all.add(new Workload("file-region", "16 MiB files as a FileRegion, stream", Operation.FILE, SocketKind.STREAM, 16 * MIB, 1,
                false, Measure.THROUGHPUT));
        all.add(new Workload("idle-10000", "memory of an idle connection, stream, of 10 000", Operation.ECHO,
                SocketKind.STREAM, SMALL, 10_000, false, Measure.MEMORY));
        return all;
    }

    Settings settings(Path folder) {
        return new Settings(operation, kind, size, count, spin, folder);
    }

    /** The same with another number of connections. */
    Workload withCount(int newCount) {
        return new Workload(id, title, operation, kind, size, newCount, spin, measure);
    }
}
