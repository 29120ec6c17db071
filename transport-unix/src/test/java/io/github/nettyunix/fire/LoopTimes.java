package io.github.nettyunix.fire;

import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** How busy the busiest event loop is while it is idlest. */
final class LoopTimes {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int WINDOW_MILLIS = 50;
    private static final int MOST_WINDOWS = 20;

    private final List<Long> threads = new ArrayList<>();

    LoopTimes(EventLoopGroup loops) throws Exception {
        for (EventExecutor loop : loops) {
            threads.add(loop.submit(() -> Thread.currentThread().getId()).get());
        }
    }

    /** Returns the share of a processor that it uses; looks for less only while that is more than enough. */
    double leastBusy(double enough) throws InterruptedException {
        double idlest = 1;
        for (int i = 0; i < MOST_WINDOWS && idlest > enough; i++) {
            long[] before = cpuTimes();
            long beforeNanos = System.nanoTime();
            TimeUnit.MILLISECONDS.sleep(WINDOW_MILLIS);
            long[] after = cpuTimes();
            long nanos = System.nanoTime() - beforeNanos;
            double busiest = 0;
            for (int j = 0; j < after.length; j++) {
                busiest = Math.max(busiest, (double) (after[j] - before[j]) / nanos);
            }
            idlest = Math.min(idlest, busiest);
        }
        return idlest;
    }

    private long[] cpuTimes() {
        return threads.stream().mapToLong(THREADS::getThreadCpuTime).toArray();
    }
}
