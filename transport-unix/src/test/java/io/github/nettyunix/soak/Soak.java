package io.github.nettyunix.soak;

import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Threads;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.EventExecutor;

import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Does what a process does in a long life, and compares what it uses before and after: memory, mappings, descriptors
 * and threads. Each run comes after a smaller one, in which whatever is kept for good is allocated.
 */
public final class Soak {
    /** How often each thing is done, in the short run and in the long one. */
    private enum Size {
        KILLED_PEERS(60, 1_000), KILLED_SERVERS(20, 1_000), CONNECTS(200, 100_000), CROWD(100, 20_000),
        EVENT_LOOPS(20, 1_000), MESSAGES(6_000, 10_000_000), RECORDS(40_000, 10_000_000);

        private final int few;
        private final int many;

        Size(int few, int many) {
            this.few = few;
            this.many = many;
        }
    }

    private final boolean isLong;
    private final String filter;
    private boolean passed = true;

    private Soak(boolean isLong, String filter) {
        this.isLong = isLong;
        this.filter = filter;
    }

    /** The arguments: whether the runs are to be long, and optionally what the name of a run is to contain. */
    public static void main(String[] arguments) {
        boolean passed = false;
        try {
            Soak soak = new Soak(Boolean.parseBoolean(arguments[0]), arguments.length > 1 ? arguments[1] : "");
            passed = soak.runAll();
        } catch (Exception e) {
            e.printStackTrace();
        } finally {
            // Whatever threads are left.
            System.exit(passed ? 0 : 1);
        }
    }

    private boolean runAll() throws Exception {
        // A short warm-up may not reach all of them.
        for (EventExecutor loop : Loops.group()) {
            EventLoops.use((EventLoop) loop);
        }
        List<Kind> kinds = Kind.supported();
        for (Kind kind : kinds) {
            run("killed peers, " + kind, new KilledPeers(kind), Size.KILLED_PEERS, 1);
        }
        run("killed servers", new KilledServers(), Size.KILLED_SERVERS, 1);
        for (Kind kind : kinds) {
            run("connects, " + kind, new Connects(kind), Size.CONNECTS, 1);
        }
        run("connections at once", new Crowd(), Size.CROWD, 1);
        run("event loops", new EventLoops(), Size.EVENT_LOOPS, 1);
        List<Kind> sockets = kinds.stream().filter(kind -> kind != Kind.SHARED_MEMORY).toList();
        for (Kind kind : sockets) {
            run("messages, " + kind, new Messages(kind), Size.MESSAGES, sockets.size());
        }
        if (kinds.contains(Kind.SHARED_MEMORY)) {
            run("records, shared memory", new Records(), Size.RECORDS, 1);
        }
        return passed;
    }

    /** Prints a line of which ./verify --soak makes a table. */
    private void run(String name, Run run, Size size, int kinds) {
        if (!name.contains(filter)) {
            return;
        }
        int count = ((isLong ? size.many : size.few) + kinds - 1) / kinds;
        long begin = System.nanoTime();
        String done = "-";
        String result = "passed";
        try {
            Descriptors descriptors = Descriptors.now();
            Threads threads = Threads.now();
            // Of connections that are open at once, it is the number that counts.
            run.run(size == Size.CROWD ? count : count / 10);
            descriptors.assertUnchanged();
            Usage before = Usage.now();
            done = run.run(count);
            descriptors.assertUnchanged();
            threads.assertUnchanged();
            done += "; " + before.assertFlat();
        } catch (Exception | AssertionError e) {
            e.printStackTrace();
            passed = false;
            result = ("FAILED: " + e.getMessage()).replaceAll("\\s+", " ");
        }
        System.out.println(String.join("\t", "soak", name, done, result,
                String.valueOf(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin))));
    }
}
