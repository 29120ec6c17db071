package io.github.nettyunix.fire;

import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How busy the busiest event loop is while it is idlest. Time in which a loop waits for a processor does not count: on
 * a busy machine a loop has as much time as elsewhere for what it still has to do, and one that spins looks no idler.
 */
final class LoopTimes {
    private static final long WINDOW_MILLIS = 50;
    private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(WINDOW_MILLIS);
    private static final int MOST_WINDOWS = 20;

    /** The folders in which the kernel describes the threads. */
    private final List<Path> threads = new ArrayList<>();

    /** A thread: nanoseconds on a processor, nanoseconds ready to run, but on none, and whether it is neither now. */
    private record Times(long running, long waiting, boolean sleeps) {
        static Times of(Path thread) throws IOException {
            // The state comes first, since the times of a thread that is ready are those of when it last ran.
            String stat = Files.readString(thread.resolve("stat"));
            String[] times = Files.readString(thread.resolve("schedstat")).split(" ");
            return new Times(Long.parseLong(times[0]), Long.parseLong(times[1]),
                    stat.charAt(stat.lastIndexOf(')') + 2) == 'S');
        }

        Times since(Times before) {
            return new Times(running - before.running, waiting - before.waiting, sleeps);
        }

        boolean hasHadWindow(long nanos) {
            return running >= WINDOW_NANOS || sleeps && nanos - waiting >= WINDOW_NANOS;
        }

        double share(long nanos) {
            return (double) running / Math.max(nanos - waiting, running);
        }
    }

    LoopTimes(EventLoopGroup loops) throws Exception {
        for (EventExecutor loop : loops) {
            threads.add(loop.submit(() -> Path.of("/proc/thread-self").toRealPath()).get());
        }
    }

    /** Returns the share of a processor that it uses; looks for less only while that is more than enough. */
    double leastBusy(double enough) throws IOException, InterruptedException {
        double idlest = 1;
        for (int i = 0; i < MOST_WINDOWS && idlest > enough; i++) {
            idlest = Math.min(idlest, busiest());
        }
        return idlest;
    }

    private double busiest() throws IOException, InterruptedException {
        List<Times> before = times();
        long beforeNanos = System.nanoTime();
        while (true) {
            TimeUnit.MILLISECONDS.sleep(WINDOW_MILLIS);
            List<Times> now = times();
            long nanos = System.nanoTime() - beforeNanos;
            boolean complete = true;
            double busiest = 0;
            for (int i = 0; i < now.size(); i++) {
                Times spent = now.get(i).since(before.get(i));
                complete &= spent.hasHadWindow(nanos);
                busiest = Math.max(busiest, spent.share(nanos));
            }
            if (complete) {
                return busiest;
            }
        }
    }

    private List<Times> times() throws IOException {
        List<Times> times = new ArrayList<>();
        for (Path thread : threads) {
            times.add(Times.of(thread));
        }
        return times;
    }
}
