package io.github.nettyunix.faults;

import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;

import java.lang.management.ManagementFactory;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertTrue;

/** The event loop whose system calls can fail. It lives as long as the JVM, as filters do as long as their thread. */
final class FaultyLoop {
    static final EventLoopGroup GROUP = Loops.newGroup(1);
    static final EventLoop LOOP = GROUP.next();

    /** A loop that spins makes tens of thousands of calls, or never sleeps. */
    private static final int MOST_CALLS = 200;
    private static final double MOST_CPU = 0.5;
    private static final int OBSERVED_MILLIS = 50;

    private static final long THREAD = start();

    /** Opens what it needs for itself, and lets the library find out what the kernel can do. */
    static void warmUp() {
        assertTrue(THREAD > 0);
        UnixSeqpacketChannel.pair().forEach(channel -> channel.unsafe().closeForcibly());
    }

    private FaultyLoop() {
    }

    /** A class of its own: while this one is being initialized, no other thread can run its code. */
    private static final class Start implements Callable<Long> {
        @Override
        public Long call() {
            Injector.include();
            return Thread.currentThread().getId();
        }
    }

    private static long start() {
        try {
            return FaultyLoop.call(new Start());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Runs something on the loop, and throws what it throws. */
    static <T> T call(Callable<T> action) throws Exception {
        try {
            return LOOP.submit(action).get(Outcome.TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** While everything that could happen waits for a call that keeps failing, the loop must not be busy. */
    static void assertIdle() throws InterruptedException {
        var threads = ManagementFactory.getThreadMXBean();
        long cpu = threads.getThreadCpuTime(THREAD);
        long time = System.nanoTime();
        long calls = total();
        TimeUnit.MILLISECONDS.sleep(OBSERVED_MILLIS);
        calls = total() - calls;
        double share = (double) (threads.getThreadCpuTime(THREAD) - cpu) / (System.nanoTime() - time);
        assertTrue(calls < MOST_CALLS && share < MOST_CPU, "the loop spins: " + calls + " system calls, "
                + Math.round(share * 100) + " % of a core in " + OBSERVED_MILLIS + " ms");
    }

    private static long total() {
        return Injector.made().values().stream().mapToLong(Long::longValue).sum();
    }
}
