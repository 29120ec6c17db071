package io.github.nettyunix.testing;

import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.fail;

/** The threads of this process. */
public final class Threads {
    private static final long DEADLINE_MILLIS = 5_000;

    /** Threads that the JVM, JUnit and Netty start when they first need them and keep, or end later. */
    private static final List<String> KEPT = List.of("process reaper", "ForkJoinPool", "Attach Listener",
            "Common-Cleaner",
            "CompletableFuture", "junit-", "netty-transport-unix-closer", "globalEventExecutor", "surefire",
            "last-ditch");

    private final Set<Thread> before = running();

    private Threads() {
    }

    /** Remembers which are running now. */
    public static Threads now() {
        Loops.group();
        return new Threads();
    }

    private static Set<Thread> running() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> KEPT.stream().noneMatch(thread.getName()::startsWith)).collect(Collectors.toSet());
    }

    /** Waits until only those threads are running. */
    public void assertUnchanged() {
        long deadline = System.currentTimeMillis() + DEADLINE_MILLIS;
        for (Set<Thread> now; !before.containsAll(now = running());) {
            if (System.currentTimeMillis() > deadline) {
                now.removeAll(before);
                fail("threads left over: " + now);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }
}
