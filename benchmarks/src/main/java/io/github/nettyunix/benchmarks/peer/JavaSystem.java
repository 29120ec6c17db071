package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.benchmarks.BenchmarkedSystem;
import io.github.nettyunix.benchmarks.Settings;
import org.HdrHistogram.Histogram;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A system whose two sides are Java programs. */
public interface JavaSystem extends BenchmarkedSystem {
    static List<JavaSystem> all() {
        List<JavaSystem> all = new ArrayList<>(NettySystem.ALL);
        all.addAll(ByteChannelSystem.ALL);
        all.add(new AgronaSystem());
        return all;
    }

    /** The system with an id. */
    static JavaSystem of(String id) {
        return all().stream().filter(system -> system.id().equals(id)).findAny().orElseThrow();
    }

    /** The server's side of a workload; it serves until the process ends. */
    interface Server {
        /** Called before the first round, when the client has bound its sockets. */
        void onClientReady() throws Exception;
    }

    /** The client's side of a workload; its connections are established. */
    interface Client {
        /** Works for a time, and returns when everything has been sent. */
        Outcome run(long nanos) throws Exception;
    }

    /**
     * What a client did in a round.
     *
     * @param latencies of round trips in nanoseconds; {@code null} if they are not measured
     */
    record Outcome(long messages, long nanos, long errors, Histogram latencies) {
    }

    /** For the latencies of one connection; with several, round trips overlap and only their rate is measured. */
    static Histogram newLatencies(Settings settings) {
        return settings.count() == 1 ? new Histogram(TimeUnit.MINUTES.toNanos(1), 3) : null;
    }

    Server newServer(Settings settings, Counters counters) throws Exception;

    Client newClient(Settings settings) throws Exception;

    @Override
    default String unavailable() {
        return null;
    }

    @Override
    default Role role() {
        return Role.JAVA_PEER;
    }

    @Override
    default List<String> command(String side, Settings settings) {
        // All pages of the heap are touched at the start, so that memory which grows with connections is not the heap.
        // It never needs its maximum, but at 512 MiB or less Netty's allocator keeps no memory per thread.
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-Xms256m",
                "-Xmx640m", "-XX:+UseSerialGC", "-XX:+AlwaysPreTouch", "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED", "-Dio.netty.leakDetection.level=disabled"));
        String more = System.getenv("BENCHMARKS_JAVA_OPTIONS");
        if (more != null) {
            command.addAll(List.of(more.trim().split("\\s+")));
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), PeerProgram.class.getName(), id(), side));
        command.addAll(settings.toArguments());
        return command;
    }
}
