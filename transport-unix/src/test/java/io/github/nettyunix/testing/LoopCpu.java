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

    /**
     * Watches the loop for a second: it must use less than 5 % of a core. A loop whose code has just been run for the first
     * time, and has classes to load, gets one second more.
     */
    public static void assertIdle(EventLoop loop) throws Exception {
        assertIdle(loop, 2);
    }

    /** The loop of a JVM that has just been started: it must become idle, as a loop that spins never does. */
    public static void assertIdleSoon(EventLoop loop) throws Exception {
        assertIdle(loop, 10);
    }

    private static void assertIdle(EventLoop loop, int chances) throws Exception {
        long thread = loop.submit(() -> Thread.currentThread().getId()).get();
        double share = share(thread);
        for (int i = 1; share >= MOST && i < chances; i++) {
            share = share(thread);
        }
        assertTrue(share < MOST, String.format("the event loop uses %.1f %% of a core", share * 100));
    }

    private static double share(long thread) throws InterruptedException {
        long cpuBefore = THREADS.getThreadCpuTime(thread);
        long before = System.nanoTime();
        TimeUnit.SECONDS.sleep(1);
        return (double) (THREADS.getThreadCpuTime(thread) - cpuBefore) / (System.nanoTime() - before);
    }
}
