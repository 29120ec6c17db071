package io.github.nettyunix.fire;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.UnixChannel;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** One scenario, run. */
final class Case implements HostilePeer.Listener {
    private static final long DEADLINE_SECONDS = 10;
    private static final long LONGEST_PAUSE_MILLIS = 20;
    private static final double BUSY = 0.05;

    final Scenario scenario;
    final byte[] block;
    /** What {@link #block} was written to. */
    final File blockFile;
    private final Path folder;
    private final ScheduledExecutorService timer;
    private final SplittableRandom random;
    private final List<EventLoopGroup> loops;
    private final LoopTimes times;
    private final Sockets sockets;
    private final Queue<String> problems = new ConcurrentLinkedQueue<>();
    private final AtomicInteger accepted = new AtomicInteger();
    private final AtomicInteger pending = new AtomicInteger();
    /** By receiver and the order in which it has accepted them; of datagrams by sender. */
    private final List<Observed> observed = new ArrayList<>();
    private final List<Channel> channels = new ArrayList<>();
    private final Statistics statistics;
    private volatile boolean over;

    /**
     * @param loops the first group is the one to start on, any can be moved to
     * @param times of these loops, which are this case's alone; or null
     */
    Case(Scenario scenario, Path folder, byte[] block, File blockFile, ScheduledExecutorService timer,
            List<EventLoopGroup> loops, LoopTimes times, Statistics statistics) {
        this.statistics = statistics;
        this.scenario = scenario;
        this.folder = folder;
        this.block = block;
        this.blockFile = blockFile;
        this.timer = timer;
        this.loops = loops;
        this.times = times;
        random = new SplittableRandom(scenario.seed + 1);
        for (int i = 0; i < scenario.connections; i++) {
            observed.add(new Observed());
        }
        sockets = new Sockets(this, folder, loops);
    }

    void problem(String what) {
        problems.add(what);
    }

    synchronized int random(int bound) {
        return random.nextInt(bound);
    }

    /** Does something on another thread. */
    void later(int micros, Runnable task) {
        pending.incrementAndGet();
        timer.schedule(() -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                problem("on another thread: " + e);
            } finally {
                pending.decrementAndGet();
            }
        }, micros, TimeUnit.MICROSECONDS);
    }

    /** Something has begun that may bring another channel. */
    void begin() {
        pending.incrementAndGet();
    }

    void end() {
        pending.decrementAndGet();
    }

    /** Whether the peer has ended. */
    boolean isOver() {
        return over;
    }

    void adopt(UnixFileDescriptor fd, Observed seen) {
        sockets.adopt(fd, observed.indexOf(seen));
    }

    /** There is a channel for a connection; the first one of it is counted. */
    void accepted(Channel channel, int number) {
        synchronized (channels) {
            channels.add(channel);
        }
        Observed seen = observed(number);
        synchronized (seen) {
            seen.channels.add(channel);
        }
        if (channel.attr(Sockets.NUMBER).get() == number) {
            seen.connected((UnixChannel) channel);
            accepted.incrementAndGet();
        }
    }

    /** The number of the connection that a receiver has accepted after so many others. */
    int numberOf(int receiver, int count) {
        int number = receiver + count * scenario.receivers;
        if (number < scenario.connections) {
            return number;
        }
        problem("more connections than the peer has opened");
        return 0;
    }

    Observed observed(int number) {
        return observed.get(number);
    }

    Observed bySender(UnixSocketAddress sender) {
        String path = sender == null ? "" : sender.path();
        if (!path.startsWith(folder + "/")) {
            problem("something from " + sender);
            return new Observed();
        }
        return observed.get(Integer.parseInt(path.substring(folder.toString().length() + 1)));
    }

    /** Runs it, and returns the first thing that went wrong, or null. */
    String run(HostilePeer peer) throws Exception {
        Files.createDirectories(folder);
        try {
            sockets.open();
            String done = peer.run(folder, scenario, this);
            over = true;
            PeerLog log = readLog();
            if (done.equals("done 1")) {
                problem("the peer has given up: " + log.error);
            }
            check(log);
            statistics.add();
        } finally {
            over = true;
            closeAll();
            deleteFolder();
        }
        return problems.peek();
    }

    private PeerLog readLog() throws IOException {
        return new PeerLog(folder.resolve("log"), scenario);
    }

    private void closeAll() throws InterruptedException, IOException {
        sockets.close();
        List<Channel> left;
        synchronized (channels) {
            left = List.copyOf(channels);
        }
        for (Channel channel : left) {
            channel.close().sync();
        }
        await("timers", () -> pending.get() == 0);
    }

    /** The peer does nothing but read: whatever it has sent must arrive without anything else happening. */
    @Override
    public void settle() throws IOException, InterruptedException {
        if (scenario.limitsDescriptors) {
            // Something may be lost, and the log may be unreadable.
            return;
        }
        PeerLog log = readLog();
        List<Oracle> oracles = oracles(log);
        for (Oracle oracle : oracles) {
            await("what the peer has sent, while it waits", () -> isComplete(oracle), oracle::firstMissing);
        }
        for (int connection : log.reading) {
            Observed seen = observed(slot(log, connection));
            await("what was written, while the peer reads", () -> isWritten(seen));
        }
        if (scenario.type != SocketType.DATAGRAM && log.reading.size() == log.opened.size()) {
            await("the channels to become writable", () -> {
                synchronized (channels) {
                    return channels.stream().allMatch(channel -> !channel.isActive() || channel.isWritable()
                            || ((DuplexChannel) channel).isOutputShutdown());
                }
            });
        }
    }

    private static boolean isWritten(Observed seen) {
        synchronized (seen) {
            return seen.written.stream().allMatch(message -> message.future().isDone());
        }
    }

    /** The peer does nothing at all. */
    @Override
    public void idle() throws IOException, InterruptedException {
        double share = times.leastBusy(BUSY);
        if (share > BUSY) {
            problem(String.format("a loop is never idle: it uses at least %.0f %% of a processor", share * 100));
        }
    }

    @Override
    public void stuck(String operation) {
        problem("operation " + operation + " of the peer waits in vain" + diagnosis());
    }

    private void check(PeerLog log) throws Exception {
        if (scenario.type == SocketType.DATAGRAM) {
            List<Oracle> oracles = oracles(log);
            for (Oracle oracle : oracles) {
                await("datagrams", () -> isComplete(oracle), oracle::firstMissing);
            }
            await("timers", () -> pending.get() == 0);
            for (Channel channel : sockets.bound()) {
                channel.close().sync();
            }
        } else {
            await("connections to be accepted", () -> accepted.get() >= log.opened.size());
            await("connections to close", () -> {
                synchronized (channels) {
                    return pending.get() == 0 && channels.stream().noneMatch(Channel::isOpen);
                }
            });
        }
        await("timers", () -> pending.get() == 0);
        // What the loops had still to do for the channels.
        for (EventLoopGroup group : loops) {
            for (var loop : group) {
                loop.submit(() -> { }).sync();
            }
        }
        long missing = 0;
        for (Oracle oracle : oracles(log)) {
            try {
                oracle.check();
                missing += oracle.missing();
                oracle.count(statistics);
            } catch (Oracle.Violation e) {
                problem("connection " + oracle.connection() + ": " + e.getMessage());
            }
        }
        if (scenario.type == SocketType.DATAGRAM) {
            try {
                new CounterOracle(scenario, sockets.bound(), observed).check(0);
            } catch (Oracle.Violation e) {
                problem(e.getMessage());
            }
            long dropped = sockets.bound().stream().mapToLong(c -> ((UnixDatagramChannel) c).droppedMessages()).sum();
            if (missing > dropped) {
                problem(missing + " datagrams are missing, but " + dropped + " were dropped");
            }
        }
    }

    /** Where a connection is in {@link #observed}: each receiver has accepted its connections in order. */
    private int slot(PeerLog log, int connection) {
        if (scenario.type == SocketType.DATAGRAM) {
            return connection;
        }
        int receiver = connection % scenario.receivers;
        List<Integer> same = log.opened.stream().filter(other -> other % scenario.receivers == receiver).toList();
        return receiver + same.indexOf(connection) * scenario.receivers;
    }

    private List<Oracle> oracles(PeerLog log) {
        List<Oracle> oracles = new ArrayList<>();
        for (int connection : log.opened) {
            oracles.add(new Oracle(scenario, block, log, connection, observed(slot(log, connection))));
        }
        return oracles;
    }

    private boolean isComplete(Oracle oracle) {
        try {
            return oracle.isComplete();
        } catch (Oracle.Violation e) {
            // Nothing that arrives can mend it.
            return true;
        }
    }

    private String diagnosis() {
        List<Channel> all = new ArrayList<>(sockets.bound());
        synchronized (channels) {
            all.addAll(channels);
        }
        return Diagnosis.of(folder, all);
    }

    private void await(String what, BooleanSupplier condition) throws InterruptedException {
        await(what, condition, () -> "");
    }

    private void await(String what, BooleanSupplier condition, Supplier<String> details) throws InterruptedException {
        // Counts the pauses, not the time: on a busy machine everything else takes longer as well.
        long left = TimeUnit.SECONDS.toMillis(DEADLINE_SECONDS);
        long before = -1;
        for (long pause = 1; !condition.getAsBoolean(); pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS)) {
            // A handler that is slow, or stops reading now and then, takes its time for many small messages.
            long received = observed.stream().mapToLong(Observed::count).sum();
            if (received != before) {
                before = received;
                left = TimeUnit.SECONDS.toMillis(DEADLINE_SECONDS);
            }
            if (left < 0) {
                problem("waited in vain for " + what + ", pending: " + pending + ", " + details.get() + diagnosis());
                return;
            }
            TimeUnit.MILLISECONDS.sleep(pause);
            left -= pause;
        }
    }

    private void deleteFolder() throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
