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
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.StandardProtocolFamily;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;

/** A hostile peer against a receiver that does random things: one case after another, until one fails or time is up. */
public final class Fire {
    /** Leaks, and what Netty logs: an exception that nobody else gets. */
    private static final Queue<String> REPORTS = new ConcurrentLinkedQueue<>();
    /** How many cases run at the same time. Most of the time a case waits for something. */
    private static final int TOGETHER = Integer.getInteger("nettyunix.fire.together",
            Math.max(4 * Runtime.getRuntime().availableProcessors(), 4));
    /** After how many cases of each the descriptors are compared. */
    private static final int CASES_PER_ROUND = 3;
    private static final int ROUNDS_PER_COLLECTION = 4;
    private static final int REPETITIONS = 20;
    private static final int DESCRIPTOR_CHECKS = 4;
    private static final long SHORTENING_SECONDS = 20;
    /** Longer than anything that is waited for. */
    private static final long HANG_SECONDS = 120;

    private final Path folder;
    private final byte[] block = Scenario.block();
    private final Path blockFile;
    private final List<SocketType> types = Arrays.stream(SocketType.values()).filter(UnixTransport::supports).toList();
    private final boolean pidFds = hasPidFdsOfEndedProcesses();
    private final EventLoopGroup loops = Loops.newGroup(2);
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
    private final BlockingQueue<HostilePeer> peers = new LinkedBlockingQueue<>();
    private final ExecutorService workers = Executors.newFixedThreadPool(TOGETHER);
    private final AtomicInteger caseCount = new AtomicInteger();
    private long deadline;
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
            REPORTS.add(resourceType + records);
        }

        @Override
        protected void reportUntracedLeak(String resourceType) {
            REPORTS.add(resourceType);
        }
    }

    /** What went wrong, and in which case. */
    private record Failure(Scenario scenario, String problem) {
    }

    private Fire() throws Exception {
        folder = Files.createTempDirectory("fire");
        blockFile = Files.write(folder.resolve("block"), block);
        for (int i = 0; i < TOGETHER; i++) {
            peers.add(new HostilePeer(Files.createDirectory(folder.resolve("peer" + i)), blockFile));
        }
    }

    /** The arguments: for how many seconds, from which case on, and optionally which operations of that case only. */
    public static void main(String[] arguments) {
        long seconds = Long.parseLong(arguments[0]);
        long seed = Long.parseLong(arguments[1]);
        boolean passed = false;
        startWatchdog(seconds);
        watchLog();
        try {
            loadClasses();
            Fire fire = new Fire();
            passed = arguments.length > 2 ? fire.repeat(seed, numbers(arguments[2])) : fire.run(seed, seconds);
            fire.close();
        } catch (Throwable t) {
            // Also an error, which would be lost when the process exits.
            t.printStackTrace();
        } finally {
            // Whatever threads are left.
            System.exit(passed ? 0 : 1);
        }
    }

    /**
     * A process at its limit of descriptors cannot load a class from a folder. From its first server socket on, the JDK
     * has a socket of its own, which a case would seem to leave behind.
     */
    private static void loadClasses() throws Exception {
        ServerSocketChannel.open(StandardProtocolFamily.UNIX).close();
        Path classes = Path.of(UnixTransport.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
                String name = classes.relativize(file).toString();
                if (!name.endsWith("-info.class")) {
                    Class.forName(name.substring(0, name.lastIndexOf('.')).replace('/', '.'), false,
                            Fire.class.getClassLoader());
                }
            }
        }
    }

    /** A loop that never returns would hang the cases, and with them this process. */
    private static void startWatchdog(long seconds) {
        Thread watchdog = new Thread(() -> {
            try {
                TimeUnit.SECONDS.sleep(seconds + SHORTENING_SECONDS + HANG_SECONDS);
            } catch (InterruptedException e) {
                return;
            }
            System.out.println("it hangs:" + Diagnosis.threads());
            Runtime.getRuntime().halt(1);
        });
        watchdog.setDaemon(true);
        watchdog.start();
    }

    private static void watchLog() {
        InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
        Logger.getLogger("").addHandler(new Handler() {
            @Override
            public void publish(LogRecord record) {
                if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
                    StringWriter text = new StringWriter();
                    text.append(record.getMessage());
                    if (record.getThrown() != null) {
                        record.getThrown().printStackTrace(new PrintWriter(text.append(' ')));
                    }
                    REPORTS.add(text.toString());
                }
            }

            @Override
            public void flush() {
            }

            @Override
            public void close() {
            }
        });
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
        deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        long next = seed;
        // The first one may be what is to be repeated.
        Failure failure = run(List.of(newScenario(next++)));
        if (failure != null) {
            report(failure);
        }
        while (failure == null && !isTimeUp()) {
            long first = next;
            List<Scenario> together = new ArrayList<>();
            List<Scenario> alone = new ArrayList<>();
            while (together.size() < TOGETHER * CASES_PER_ROUND) {
                Scenario scenario = newScenario(next++);
                (scenario.runsAlone() ? alone : together).add(scenario);
            }
            failure = run(together);
            for (int i = 0; i < alone.size() && failure == null; i++) {
                failure = run(alone.subList(i, i + 1));
            }
            if (failure != null) {
                report(failure);
            }
            if (failure != null && together.contains(failure.scenario) && !fails(failure.scenario)) {
                System.out.println("alone it has passed " + REPETITIONS + " times; again: ./verify --fire 60 --seed "
                        + first);
                return false;
            }
        }
        if (failure == null) {
            System.out.println(statistics + " on " + Loops.selector() + "; the next case is " + next);
            return true;
        }
        shorten(failure.scenario);
        return false;
    }

    /** Whether a case fails by itself, in one of several attempts. */
    private boolean fails(Scenario scenario) throws Exception {
        return repeat(scenario, REPETITIONS) != null;
    }

    /** Runs a case several times, as many at once as otherwise; returns the first failure, or null. */
    private Failure repeat(Scenario scenario, int count) throws Exception {
        int together = scenario.runsAlone() ? 1 : TOGETHER;
        Failure failure = null;
        deadline = Long.MAX_VALUE;
        for (int i = 0; i < count && failure == null; i += together) {
            failure = run(Collections.nCopies(together, scenario));
        }
        return failure;
    }

    private boolean isTimeUp() {
        return System.nanoTime() > deadline;
    }

    private Scenario newScenario(long seed) {
        return new Scenario(seed, types, pidFds);
    }

    private boolean repeat(long seed, BitSet kept) throws Exception {
        Scenario scenario = new Scenario(newScenario(seed), types, pidFds, kept);
        Failure failure = repeat(scenario, REPETITIONS);
        if (failure != null) {
            report(failure);
            return false;
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
        for (Scenario scenario : scenarios) {
            // If time is up, those that have not begun are left out. One that is run by itself is wanted.
            results.add(workers.submit(() -> scenarios.size() > 1 && isTimeUp() ? null : run(scenario)));
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
        String left = null;
        // On a busy machine other threads take their time to close what they have to.
        for (int i = 0; i < DESCRIPTOR_CHECKS; i++) {
            try {
                before.assertUnchanged();
                left = null;
                break;
            } catch (AssertionError e) {
                left = e.getMessage();
            }
        }
        if (left != null) {
            return whichLeaves(scenarios, left);
        }
        rounds++;
        if (rounds % ROUNDS_PER_COLLECTION == 0) {
            System.gc();
        }
        return REPORTS.isEmpty() || scenarios.isEmpty() ? null : new Failure(scenarios.get(0), REPORTS.poll());
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
        return new Failure(scenarios.get(0), problem + ", by this case or one of the " + (scenarios.size() - 1)
                + " that ran with it");
    }

    private String run(Scenario scenario) throws Exception {
        // Those of a loop that spins take a processor each, and what others do must not count.
        EventLoopGroup own = scenario.spinning
                ? new MultiThreadIoEventLoopGroup(1, Loops.newSpinningIoHandlerFactory(scenario.look))
                : scenario.idles ? Loops.newGroup(2) : null;
        HostilePeer peer = peers.take();
        try {
            List<EventLoopGroup> groups = own == null ? List.of(loops) : scenario.idles ? List.of(own)
                    : List.of(own, loops);
            Path home = folder.resolve("case" + caseCount.getAndIncrement());
            try (LoopTimes times = scenario.idles ? new LoopTimes(own) : null) {
                return new Case(scenario, home, block, blockFile.toFile(), timer, groups, times, statistics).run(peer);
            }
        } finally {
            peers.add(peer);
            if (own != null) {
                own.shutdownGracefully(0, 0, TimeUnit.SECONDS).sync();
            }
        }
    }

    /** Leaves out operations for as long as the case fails without them, and says what is left. */
    private void shorten(Scenario scenario) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SHORTENING_SECONDS);
        BitSet kept = new BitSet();
        scenario.operations.forEach(operation -> kept.set(operation.number()));
        for (int part = Math.max(1, kept.cardinality() / 2); part > 0; part /= 2) {
            for (int from = 0; from < kept.length() && System.nanoTime() < end;) {
                BitSet fewer = (BitSet) kept.clone();
                int to = from;
                for (int i = 0; i < part && kept.nextSetBit(to) >= 0; i++) {
                    to = kept.nextSetBit(to) + 1;
                }
                fewer.clear(from, to);
                if (repeat(new Scenario(scenario, types, pidFds, fewer), 1) != null) {
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
