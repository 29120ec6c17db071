package io.github.nettyunix.fire;

import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How busy the busiest event loop is while it is idlest. Time in which a loop waits for a processor does not count: on
 * a busy machine a loop has as much time as elsewhere for what it still has to do, and one that spins looks no idler.
 */
final class LoopTimes implements AutoCloseable {
    private static final long WINDOW_MILLIS = 50;
    private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(WINDOW_MILLIS);
    private static final int MOST_WINDOWS = 20;

    private final List<LoopThread> threads = new ArrayList<>();

    /** What the kernel says of a thread. The files stay open, since a case may leave no descriptor for them. */
    private record LoopThread(RandomAccessFile stat, RandomAccessFile schedstat) {
        static LoopThread of(Path folder) throws IOException {
            return new LoopThread(open(folder.resolve("stat")), open(folder.resolve("schedstat")));
        }

        private static RandomAccessFile open(Path file) throws IOException {
            return new RandomAccessFile(file.toFile(), "r");
        }

        private static String read(RandomAccessFile file) throws IOException {
            file.seek(0);
            return file.readLine();
        }

        Times times() throws IOException {
            // The state comes first, since the times of a thread that is ready are those of when it last ran.
            String state = read(stat);
            String[] times = read(schedstat).split(" ");
            return new Times(Long.parseLong(times[0]), Long.parseLong(times[1]),
                    state.charAt(state.lastIndexOf(')') + 2) == 'S');
        }

        void close() throws IOException {
            stat.close();
            schedstat.close();
        }
    }

    /** A thread: nanoseconds on a processor, nanoseconds ready to run, but on none, and whether it is neither now. */
    private record Times(long running, long waiting, boolean sleeps) {
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
            threads.add(LoopThread.of(loop.submit(() -> Path.of("/proc/thread-self").toRealPath()).get()));
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
        for (LoopThread thread : threads) {
            times.add(thread.times());
        }
        return times;
    }

    @Override
    public void close() throws IOException {
        for (LoopThread thread : threads) {
            thread.close();
        }
    }
}
