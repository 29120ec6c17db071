package io.github.nettyunix.testing;

import io.netty.channel.EventLoop;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** How busy an event loop's thread is. */
public final class LoopCpu {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final double MOST = 0.05;

    private LoopCpu() {
    }

    /** Watches the loop for a second: it must use less than 5 % of a core. */
    public static void assertIdle(EventLoop loop) throws Exception {
        long thread = loop.submit(() -> Thread.currentThread().getId()).get();
        long cpuBefore = THREADS.getThreadCpuTime(thread);
        long before = System.nanoTime();
        TimeUnit.SECONDS.sleep(1);
        double share = (double) (THREADS.getThreadCpuTime(thread) - cpuBefore) / (System.nanoTime() - before);
        assertTrue(share < MOST, String.format("the event loop uses %.1f %% of a core", share * 100));
    }
}
