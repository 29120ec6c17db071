package io.github.nettyunix.testing;

import io.netty.channel.EventLoop;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** Measures how busy the threads of event loops are. */
public final class LoopCpu {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final double MOST = 0.05;
    private static final int GLANCES = 40;

    private LoopCpu() {
    }

    /**
     * Waits until each of the loops uses less than 5 % of a core, which a spinning loop never does. At first a loop may
     * use more, because it loads classes.
     */
    public static void assertIdle(EventLoop... loops) throws Exception {
        double share = mostBusy(250, loops);
        for (int i = 1; share >= MOST && i < GLANCES; i++) {
            share = mostBusy(250, loops);
        }
        assertIdle(share);
    }

    /** The same, and then checks that they stay so for two seconds. */
    public static void assertIdleForTwoSeconds(EventLoop... loops) throws Exception {
        assertIdle(loops);
        assertIdle(mostBusy(2000, loops));
    }

    private static void assertIdle(double share) {
        assertTrue(share < MOST, String.format("an event loop uses %.1f %% of a core", share * 100));
    }

    /** Returns the share of a core that the busiest of the loops uses over some time. */
    private static double mostBusy(long millis, EventLoop... loops) throws Exception {
        long[] threads = new long[loops.length];
        long[] nanos = new long[loops.length];
        for (int i = 0; i < loops.length; i++) {
            threads[i] = loops[i].submit(() -> Thread.currentThread().getId()).get();
            nanos[i] = THREADS.getThreadCpuTime(threads[i]);
        }
        long before = System.nanoTime();
        TimeUnit.MILLISECONDS.sleep(millis);
        double most = 0;
        for (int i = 0; i < loops.length; i++) {
            most = Math.max(most, THREADS.getThreadCpuTime(threads[i]) - nanos[i]);
        }
        return most / (System.nanoTime() - before);
    }
}
