package io.github.nettyunix.benchmarks.peer;

import com.sun.management.ThreadMXBean;
import io.github.nettyunix.benchmarks.Settings;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * One side of a workload, told by lines on its standard input what to do, as {@code peer.c} is.
 * <pre>
 * server: run -> go, expect N -> messages=N errors=N allocated=N, memory -> memory=N
 * client: run MILLIS -> messages=N nanos=N errors=N allocated=N [p50=N p99=N p999=N]
 * </pre>
 */
public final class PeerProgram {
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private PeerProgram() {
    }

    public static void main(String[] arguments) {
        try {
            run(arguments);
            System.exit(0);
        } catch (Throwable t) {
            t.printStackTrace();
            System.exit(1);
        }
    }

    private static void run(String[] arguments) throws Exception {
        JavaContestant contestant = JavaContestant.all().stream().filter(c -> c.id().equals(arguments[0])).findAny()
                .orElseThrow();
        Settings settings = Settings.of(List.of(arguments).subList(2, arguments.length));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        if (arguments[1].equals("server")) {
            serve(contestant, settings, commands);
        } else {
            Client client = contestant.newClient(settings);
            reply("ready");
            for (String line; (line = commands.readLine()) != null;) {
                long before = allocated();
                Client.Outcome outcome = client.run(Long.parseLong(line.substring("run ".length())) * 1_000_000);
                reply("messages=" + outcome.messages() + " nanos=" + outcome.nanos() + " errors=" + outcome.errors()
                        + " allocated=" + (allocated() - before) + percentiles(outcome.latencies()));
            }
        }
    }

    private static void serve(JavaContestant contestant, Settings settings, BufferedReader commands) throws Exception {
        Tally tally = new Tally(settings.size());
        Server server = contestant.newServer(settings, tally);
        reply("ready");
        long before = 0;
        for (String line; (line = commands.readLine()) != null;) {
            if (line.equals("run")) {
                tally.reset();
                server.beforeRound();
                before = allocated();
                reply("go");
            } else if (line.startsWith("expect ")) {
                await(tally, Long.parseLong(line.substring("expect ".length())));
                reply("messages=" + tally.messages() + " errors=" + tally.errors() + " allocated=" + (allocated() - before));
            } else {
                reply("memory=" + memory());
            }
        }
    }

    private static void await(Tally tally, long expected) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (tally.messages() < expected && System.nanoTime() - deadline < 0) {
            Thread.sleep(1);
        }
    }

    private static String percentiles(int[] latencies) {
        if (latencies == null) {
            return "";
        }
        Arrays.sort(latencies);
        long count = latencies.length;
        return " p50=" + latencies[(int) (count / 2)] + " p99=" + latencies[(int) (count * 99 / 100)]
                + " p999=" + latencies[(int) (count * 999 / 1000)];
    }

    private static long allocated() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (long bytes : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) {
            sum += Math.max(bytes, 0);
        }
        return sum;
    }

    /** Live objects, and what the process has in memory besides the heap. */
    private static long memory() throws IOException, InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(100);
        }
        long resident = 0;
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                resident = Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        // The heap's pages were all touched at the start: they are a constant in it.
        return resident + ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static void reply(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
