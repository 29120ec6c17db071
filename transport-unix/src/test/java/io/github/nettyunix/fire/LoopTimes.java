package io.github.nettyunix.fire;

import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** How busy the busiest event loop is while it is idlest. */
final class LoopTimes {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int WINDOW_MILLIS = 100;

    private final ScheduledExecutorService timer;
    private final List<Long> threads = new ArrayList<>();
    private ScheduledFuture<?> sampling;
    private long[] before;
    private long beforeNanos;
    private double idlest;

    LoopTimes(ScheduledExecutorService timer, EventLoopGroup loops) throws Exception {
        this.timer = timer;
        for (EventExecutor loop : loops) {
            threads.add(loop.submit(() -> Thread.currentThread().getId()).get());
        }
    }

    synchronized void start() {
        idlest = 1;
        before = null;
        sampling = timer.scheduleAtFixedRate(this::sample, 0, WINDOW_MILLIS, TimeUnit.MILLISECONDS);
    }

    private synchronized void sample() {
        long[] now = threads.stream().mapToLong(THREADS::getThreadCpuTime).toArray();
        long nowNanos = System.nanoTime();
        if (before != null) {
            double busiest = 0;
            for (int i = 0; i < now.length; i++) {
                busiest = Math.max(busiest, (double) (now[i] - before[i]) / (nowNanos - beforeNanos));
            }
            idlest = Math.min(idlest, busiest);
        }
        before = now;
        beforeNanos = nowNanos;
    }

    synchronized double stop() {
        sampling.cancel(false);
        return idlest;
    }
}
