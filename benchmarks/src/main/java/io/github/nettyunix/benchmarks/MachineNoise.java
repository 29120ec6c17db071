package io.github.nettyunix.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the two processors did besides running the two processes that are measured: other processes, and time that the
 * hypervisor took away. See proc(5), /proc/stat and /proc/PID/stat.
 */
final class MachineNoise {
    /** More than this share of the two processors is no quiet machine. */
    static final double QUIET = 0.03;

    /** Ticks a second, sysconf(_SC_CLK_TCK), are 100 wherever Linux runs. */
    static final long NANOS_PER_TICK = 10_000_000;

    /** The processor time of a process in nanoseconds. */
    record Cpu(long user, long system) {
        static Cpu of(long pid) throws IOException {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return new Cpu(Long.parseLong(fields[11]) * NANOS_PER_TICK, Long.parseLong(fields[12]) * NANOS_PER_TICK);
        }

        Cpu plus(Cpu other) {
            return new Cpu(user + other.user, system + other.system);
        }

        Cpu minus(Cpu other) {
            return new Cpu(user - other.user, system - other.system);
        }

        long sum() {
            return user + system;
        }
    }

    private final List<Integer> processors;
    private final long started = System.nanoTime();
    private final long before;

    /** Begins to watch. */
    MachineNoise(List<Integer> processors) throws IOException {
        this.processors = processors;
        before = busy();
    }

    /** The share of the time since then that did not go to the processes, which used {@code own}. */
    double share(Cpu own) throws IOException {
        long elapsed = (System.nanoTime() - started) * processors.size();
        // Ticks are coarse.
        long others = busy() - before - own.sum() - 2 * NANOS_PER_TICK;
        return Math.max(0, (double) others / elapsed);
    }

    /** Nanoseconds in which the processors were not idle; stolen time counts. */
    private long busy() throws IOException {
        long ticks = 0;
        List<String> wanted = new ArrayList<>();
        processors.forEach(processor -> wanted.add("cpu" + processor));
        for (String line : Files.readAllLines(Path.of("/proc/stat"))) {
            String[] fields = line.split(" +");
            if (wanted.contains(fields[0])) {
                // user nice system idle iowait irq softirq steal
                for (int i = 1; i <= 8; i++) {
                    if (i != 4 && i != 5) {
                        ticks += Long.parseLong(fields[i]);
                    }
                }
            }
        }
        return ticks * NANOS_PER_TICK;
    }
}
