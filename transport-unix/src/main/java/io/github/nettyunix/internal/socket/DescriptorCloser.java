package io.github.nettyunix.internal.socket;

import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Closes descriptors whose close(2) may block, on threads where that delays nobody else. A peer can send a file of a
 * FUSE server that does not respond, whose close never returns, or a TCP socket with SO_LINGER.
 *
 * <p>There are up to {@value #MAX_THREADS} daemon threads, which are started when needed and end when they have been
 * idle for a second. While all of them are blocked, further descriptors wait in a queue and stay open. The queue is
 * bounded by the number of descriptors that the process may have.
 */
public final class DescriptorCloser {
    /** The maximum number of blocked calls of close(2). */
    static final int MAX_THREADS = 16;

    private static final long IDLE_MILLIS = 1_000;

    // All of these are guarded by the queue.
    private static final Queue<Runnable> QUEUE = new ArrayDeque<>();
    private static int threads;
    private static int idle;

    private DescriptorCloser() {
    }

    /** Closes a descriptor that came from elsewhere: at once if that cannot block, otherwise on another thread. */
    public static void close(int fd) {
        if (FileDescriptors.closeIfHarmless(fd) != 0) {
            execute(() -> FileDescriptors.close(fd));
        }
    }

    /** Runs a task that closes a descriptor. */
    public static void execute(Runnable close) {
        synchronized (QUEUE) {
            QUEUE.add(close);
            if (idle >= QUEUE.size()) {
                QUEUE.notify();
            } else if (threads < MAX_THREADS) {
                start();
            }
        }
    }

    private static void start() {
        try {
            Thread thread = new Thread(null, DescriptorCloser::run, "netty-transport-unix-closer", 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(null);
            threads++;
            thread.start();
        } catch (OutOfMemoryError e) {
            // The process may have no more threads. The descriptor stays open until one of those that run, or the next
            // call, takes it: to close it here could block the event loop.
            threads--;
        }
    }

    private static void run() {
        for (Runnable close; (close = next()) != null;) {
            try {
                close.run();
            } catch (Throwable ignored) {
                // Out of memory, at worst; the next one is still to be closed.
            }
        }
    }

    /** Waits for the next task. Returns {@code null}, and the thread must end, if none has come for a while. */
    private static Runnable next() {
        synchronized (QUEUE) {
            long end = System.nanoTime() + IDLE_MILLIS * 1_000_000;
            while (QUEUE.isEmpty()) {
                long left = (end - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    threads--;
                    return null;
                }
                idle++;
                try {
                    QUEUE.wait(left);
                } catch (InterruptedException ignored) {
                    // Nobody has a reason to interrupt the thread.
                } finally {
                    idle--;
                }
            }
            return QUEUE.remove();
        }
    }
}
