package io.github.nettyunix.soak;

import io.netty.util.internal.PlatformDependent;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * How much this process uses at one moment. The JVM is to have its heap in memory from the start, so that what is
 * resident grows only by what is outside of the heap.
 */
final class Usage {
    /**
     * How much more may be in use. A run repeats one thing often enough for whatever is left each time to be more than
     * that in the long run: of a hundred thousand connections that leave 200 bytes each, 20 MB are resident.
     *
     * <p>Resident: code that is compiled meanwhile, metadata of classes, and what malloc keeps; a sanitizer's keeps
     * most of what is freed.
     */
    private static final long RESIDENT =
            Boolean.parseBoolean(System.getProperty("nettyunix.soak.resident", "true")) ? 12 << 20 : 1L << 40;
    /** After a collection, no more than caches; a channel with its pipeline has 2 kB. */
    private static final long HEAP = 1 << 20;
    /** The batches of the event loops are allocated in the warm-up, and buffers have a count of their own. */
    private static final long DIRECT = 64 << 10;
    /** The library's threads that close descriptors, of which there may be 16, and those of the JVM. */
    private static final int TASKS = 16 + 8;
    /** Two for the stack of each such thread. The kernel merges neighbours, so that their size counts as well. */
    private static final int MAPPINGS = 2 * TASKS;
    /** Those stacks, and what malloc has taken: it is to have one arena only, since each has 64 MiB. */
    private static final long MAPPED = (TASKS << 20) + RESIDENT;
    private static final long DEADLINE_MILLIS = 5_000;

    private final long resident;
    private final long heap;
    private final long direct;
    private final long mapped;
    private final long mappings;
    private final long tasks;

    private Usage() throws IOException {
        // What one collection finds may have kept something that a second one finds.
        System.gc();
        System.gc();
        heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        direct = PlatformDependent.usedDirectMemory() + ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)
                .stream().mapToLong(BufferPoolMXBean::getMemoryUsed).sum();
        resident = ofStatus("VmRSS:");
        mapped = ofStatus("VmSize:");
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            mappings = lines.count();
        }
        try (Stream<Path> all = Files.list(Path.of("/proc/self/task"))) {
            tasks = all.count();
        }
    }

    static Usage now() throws IOException {
        return new Usage();
    }

    /** From a line of /proc/self/status: "VmRSS:     12345 kB". */
    private static long ofStatus(String name) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.split("\\s+")[1]) << 10).findAny().orElseThrow();
    }

    /** Fails if notably more stays in use; returns how much more it is. */
    String assertFlat() throws IOException {
        long deadline = System.currentTimeMillis() + DEADLINE_MILLIS;
        Usage now = now();
        while (!now.isFlatSince(this)) {
            assertTrue(System.currentTimeMillis() < deadline, "not flat: " + now.since(this));
            now = now();
        }
        return now.since(this);
    }

    private boolean isFlatSince(Usage before) {
        return resident - before.resident <= RESIDENT && heap - before.heap <= HEAP
                && direct - before.direct <= DIRECT && mapped - before.mapped <= MAPPED
                && mappings - before.mappings <= MAPPINGS && tasks - before.tasks <= TASKS;
    }

    private String since(Usage before) {
        return String.format("resident %+d KiB, heap %+d KiB, direct %+d KiB, %+d mappings of %+d KiB, threads %+d",
                (resident - before.resident) >> 10, (heap - before.heap) >> 10, (direct - before.direct) >> 10,
                mappings - before.mappings, (mapped - before.mapped) >> 10, tasks - before.tasks);
    }
}
