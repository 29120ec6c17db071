package io.github.nettyunix.fire;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.ChannelException;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.ResourceLeakDetector;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** A hostile peer against a receiver that does random things: one case after another, until one fails or time is up. */
public final class Fire {
    private static final Queue<String> LEAKS = new ConcurrentLinkedQueue<>();
    /** Most of the time a case waits for something. */
    private static final int TOGETHER = 4;
    private static final int ROUNDS_PER_COLLECTION = 8;
    private static final int REPETITIONS = 20;
    private static final long SHORTENING_SECONDS = 20;

    private final Path folder;
    private final byte[] block = Scenario.block();
    private final List<SocketType> types = Arrays.stream(SocketType.values()).filter(UnixTransport::supports).toList();
    private final boolean pidFds = hasPidFdsOfEndedProcesses();
    private final EventLoopGroup loops = Loops.newGroup(2);
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
    private final LoopTimes times;
    private final List<HostilePeer> peers = new ArrayList<>();
    private final ExecutorService workers = Executors.newFixedThreadPool(TOGETHER);
    private final AtomicInteger caseCount = new AtomicInteger();
    private int rounds;
    private final Statistics statistics = new Statistics();

    /** Reports a leak here instead of logging it. Netty makes one for each class. */
    public static final class Detector<T> extends ResourceLeakDetector<T> {
        public Detector(Class<T> type, int samplingInterval) {
            super(type, samplingInterval);
        }

        /** Netty looks for this constructor as well. */
        public Detector(Class<T> type, int samplingInterval, long maxActive) {
            this(type, samplingInterval);
        }

        @Override
        protected boolean needReport() {
            return true;
        }

        @Override
        protected void reportTracedLeak(String resourceType, String records) {
            LEAKS.add(resourceType + records);
        }

        @Override
        protected void reportUntracedLeak(String resourceType) {
            LEAKS.add(resourceType);
        }
    }

    /** What went wrong, and in which case. */
    private record Failure(Scenario scenario, String problem) {
    }

    private Fire() throws Exception {
        folder = Files.createTempDirectory("fire");
        times = new LoopTimes(timer, loops);
        Path blockFile = Files.write(folder.resolve("block"), block);
        for (int i = 0; i < TOGETHER; i++) {
            peers.add(new HostilePeer(Files.createDirectory(folder.resolve("peer" + i)), blockFile));
        }
    }

    /** The arguments: for how many seconds, from which case on, and optionally which operations of that case only. */
    public static void main(String[] arguments) {
        long seconds = Long.parseLong(arguments[0]);
        long seed = Long.parseLong(arguments[1]);
        boolean passed = false;
        try {
            Fire fire = new Fire();
            passed = arguments.length > 2 ? fire.repeat(seed, numbers(arguments[2])) : fire.run(seed, seconds);
            fire.close();
        } catch (Exception e) {
            e.printStackTrace();
        } finally {
            // Whatever threads are left.
            System.exit(passed ? 0 : 1);
        }
    }

    private void close() throws IOException {
        peers.forEach(HostilePeer::close);
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private boolean run(long seed, long seconds) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        // The first one may be what is to be repeated.
        Failure failure = run(List.of(newScenario(seed++)));
        while (failure == null && System.nanoTime() < deadline) {
            List<Scenario> together = new ArrayList<>();
            Scenario alone = null;
            while (together.size() < TOGETHER && alone == null) {
                Scenario next = newScenario(seed++);
                if (next.runsAlone()) {
                    alone = next;
                } else {
                    together.add(next);
                }
            }
            failure = run(together);
            if (failure == null && alone != null) {
                failure = run(List.of(alone));
            }
        }
        if (failure == null) {
            System.out.println(statistics + " on " + Loops.selector() + "; the next case is " + seed);
            return true;
        }
        report(failure);
        shorten(failure.scenario);
        return false;
    }

    private Scenario newScenario(long seed) {
        return new Scenario(seed, types, pidFds);
    }

    private boolean repeat(long seed, BitSet kept) throws Exception {
        Scenario scenario = new Scenario(newScenario(seed), types, pidFds, kept);
        for (int i = 0; i < REPETITIONS; i++) {
            Failure failure = run(List.of(scenario));
            if (failure != null) {
                report(failure);
                return false;
            }
        }
        System.out.println("case " + seed + " passes on " + Loops.selector() + ", " + REPETITIONS + " times");
        return true;
    }

    private static void report(Failure failure) {
        System.out.println("case " + failure.scenario.seed + " on " + Loops.selector() + " (" + failure.scenario
                + ") fails: " + failure.problem);
    }

    /** Runs cases at the same time; returns the first failure, or null. */
    private Failure run(List<Scenario> scenarios) throws Exception {
        Descriptors before = Descriptors.now();
        List<Future<String>> results = new ArrayList<>();
        for (int i = 0; i < scenarios.size(); i++) {
            Scenario scenario = scenarios.get(i);
            HostilePeer peer = peers.get(i);
            results.add(workers.submit(() -> run(scenario, peer)));
        }
        Failure failure = null;
        for (int i = 0; i < scenarios.size(); i++) {
            String problem = results.get(i).get();
            if (problem != null && failure == null) {
                failure = new Failure(scenarios.get(i), problem);
            }
        }
        if (failure != null) {
            return failure;
        }
        try {
            before.assertUnchanged();
        } catch (AssertionError e) {
            return whichLeaves(scenarios, e.getMessage());
        }
        rounds++;
        if (rounds % ROUNDS_PER_COLLECTION == 0) {
            System.gc();
        }
        return LEAKS.isEmpty() || scenarios.isEmpty() ? null : new Failure(scenarios.get(0), LEAKS.poll());
    }

    /** Which one of several cases has left descriptors open. */
    private Failure whichLeaves(List<Scenario> scenarios, String problem) throws Exception {
        if (scenarios.size() > 1) {
            for (Scenario scenario : scenarios) {
                Failure failure = run(List.of(scenario));
                if (failure != null) {
                    return failure;
                }
            }
        }
        return new Failure(scenarios.get(0), problem);
    }

    private String run(Scenario scenario, HostilePeer peer) throws Exception {
        // Those of a loop that spins take a processor each.
        EventLoopGroup spinning = scenario.spinning
                ? new MultiThreadIoEventLoopGroup(1, Loops.newSpinningIoHandlerFactory()) : null;
        try {
            List<EventLoopGroup> groups = spinning == null ? List.of(loops) : List.of(spinning, loops);
            Path home = folder.resolve("case" + caseCount.getAndIncrement());
            return new Case(scenario, home, block, timer, groups, statistics).run(peer, times);
        } finally {
            if (spinning != null) {
                spinning.shutdownGracefully(0, 0, TimeUnit.SECONDS).sync();
            }
        }
    }

    /** Leaves out operations for as long as the case fails without them, and says what is left. */
    private void shorten(Scenario scenario) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SHORTENING_SECONDS);
        BitSet kept = new BitSet();
        scenario.operations.forEach(operation -> kept.set(operation.number()));
        for (int part = Math.max(1, kept.cardinality() / 2); part > 0; part /= 2) {
            for (int from = 0; from < kept.length() && System.nanoTime() < deadline;) {
                BitSet fewer = (BitSet) kept.clone();
                int to = from;
                for (int i = 0; i < part && kept.nextSetBit(to) >= 0; i++) {
                    to = kept.nextSetBit(to) + 1;
                }
                fewer.clear(from, to);
                if (run(List.of(new Scenario(scenario, types, pidFds, fewer))) != null) {
                    kept.clear();
                    kept.or(fewer);
                }
                from = Math.max(to, from + 1);
            }
        }
        System.out.println("these operations of it are enough, or nearly:");
        new Scenario(scenario, types, pidFds, kept).operations
                .forEach(operation -> System.out.println("  " + operation));
        StringBuilder numbers = new StringBuilder();
        for (int from = kept.nextSetBit(0); from >= 0;) {
            int to = kept.nextClearBit(from);
            numbers.append(numbers.isEmpty() ? "" : ",").append(from).append(to - 1 > from ? "-" + (to - 1) : "");
            from = kept.nextSetBit(to);
        }
        System.out.println("again: ./verify --fire --seed " + scenario.seed + " --operations " + numbers);
    }

    /** Linux has them since 6.16, as it has another option. */
    private static boolean hasPidFdsOfEndedProcesses() {
        UnixStreamChannel channel = new UnixStreamChannel();
        try {
            channel.config().setOption(UnixSocketOption.SO_PASSRIGHTS, true);
            return true;
        } catch (ChannelException | UnsupportedOperationException e) {
            return false;
        } finally {
            channel.unsafe().closeForcibly();
        }
    }

    private static BitSet numbers(String list) {
        BitSet numbers = new BitSet();
        for (String range : list.split(",")) {
            String[] ends = range.split("-");
            numbers.set(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]) + 1);
        }
        return numbers;
    }
}
