package io.github.nettyunix.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What used the two processors besides the two processes that are measured: other processes and the hypervisor. See
 * /proc/stat and /proc/PID/stat in proc(5).
 */
final class MachineNoise {
    /** A machine is quiet if others take at most this share of the two processors. */
    static final double QUIET = 0.03;

    /** sysconf(_SC_CLK_TCK) is 100 per second wherever Linux runs. */
    private static final long NANOS_PER_TICK = 10_000_000;

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

    /** Starts to measure. */
    MachineNoise(List<Integer> processors) throws IOException {
        this.processors = processors;
        before = busy();
    }

    /** The share of the time since then that others took, if the processes took {@code own}. */
    double share(Cpu own) throws IOException {
        long elapsed = (System.nanoTime() - started) * processors.size();
        // Ticks are coarse.
        long others = busy() - before - own.sum() - 2 * NANOS_PER_TICK;
        return Math.max(0, (double) others / elapsed);
    }

    /** Nanoseconds in which the processors were not idle; stolen time counts. */
    private long busy() throws IOException {
        long ticks = 0;
        for (String line : Files.readAllLines(Path.of("/proc/stat"))) {
            String[] fields = line.split(" +");
            if (processors.stream().anyMatch(processor -> fields[0].equals("cpu" + processor))) {
                // user nice system [idle iowait] irq softirq steal
                for (int i : new int[] {1, 2, 3, 6, 7, 8}) {
                    ticks += Long.parseLong(fields[i]);
                }
            }
        }
        return ticks * NANOS_PER_TICK;
    }
}
