package io.github.nettyunix.benchmarks;

import java.util.concurrent.TimeUnit;

/** Says on the standard error stream where we are and how long it will take: one line on a terminal, else one a workload. */
final class Progress {
    private final boolean terminal = System.console() != null;
    private final long total;
    private final long expectedMillis;
    private final long start = System.nanoTime();
    private long turns;
    private Workload current;

    /**
     * @param total the number of turns
     * @param expectedMillis how long all of them should take
     */
    Progress(long total, long expectedMillis) {
        this.total = total;
        this.expectedMillis = expectedMillis;
    }

    void turn(Workload workload, Contestant contestant, int round, int rounds) {
        if (terminal || workload != current) {
            String line = "[%d %%, %s left] %s".formatted(turns * 100 / total, left(), workload.id());
            System.err.print(terminal ? "\r\033[K" + line + ", round " + round + '/' + rounds + ": " + contestant.title()
                    : line + '\n');
            current = workload;
        }
        turns++;
    }

    /** The plan's word at first, and more and more what the turns so far took. */
    private String left() {
        double done = (double) turns / total;
        double elapsed = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        double whole = done == 0 ? expectedMillis : (1 - done) * expectedMillis + done * (elapsed / done);
        long seconds = Math.round((1 - done) * whole / 1000);
        return seconds >= 90 ? Math.round(seconds / 60.0) + " min" : seconds + " s";
    }

    void failed(String what) {
        clear();
        System.err.println("failed: " + what);
    }

    /** Makes room for other output. */
    void clear() {
        if (terminal) {
            System.err.print("\r\033[K");
        }
    }
}
