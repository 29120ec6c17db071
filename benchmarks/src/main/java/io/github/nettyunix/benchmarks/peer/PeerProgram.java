package io.github.nettyunix.benchmarks.peer;

import com.sun.management.ThreadMXBean;
import io.github.nettyunix.benchmarks.Settings;
import org.HdrHistogram.Histogram;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * One side of a workload. It obeys lines on its standard input, as {@code peer.c} does:
 * <pre>
 * server: run -> go, expect N -> messages=N errors=N allocated=N, memory -> memory=N
 * client: run MILLIS -> messages=N nanos=N errors=N allocated=N [p50=N p99=N p999=N]
 * </pre>
 */
public final class PeerProgram {
    private static final long TIMEOUT_NANOS = 20_000_000_000L;

    private PeerProgram() {
    }

    public static void main(String[] arguments) {
        try {
            run(List.of(arguments));
            System.exit(0);
        } catch (Throwable t) {
            t.printStackTrace();
            System.exit(1);
        }
    }

    private static void run(List<String> arguments) throws Exception {
        JavaSystem system = JavaSystem.of(arguments.get(0));
        Settings settings = Settings.of(arguments.subList(2, arguments.size()));
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        if (arguments.get(1).equals("server")) {
            serve(system, settings, commands);
        } else {
            JavaSystem.Client client = system.newClient(settings);
            reply("ready");
            for (String line; (line = commands.readLine()) != null;) {
                long before = allocated();
                JavaSystem.Outcome outcome = client.run(Long.parseLong(line.substring("run ".length())) * 1_000_000);
                reply("messages=" + outcome.messages() + " nanos=" + outcome.nanos() + " errors=" + outcome.errors()
                        + " allocated=" + (allocated() - before) + percentiles(outcome.latencies()));
            }
        }
    }

    private static void serve(JavaSystem system, Settings settings, BufferedReader commands) throws Exception {
        Counters counters = new Counters(settings.size());
        JavaSystem.Server server = system.newServer(settings, counters);
        reply("ready");
        boolean clientIsReady = false;
        long before = 0;
        for (String line; (line = commands.readLine()) != null;) {
            if (line.equals("run")) {
                counters.reset();
                if (!clientIsReady) {
                    server.onClientReady();
                    clientIsReady = true;
                }
                before = allocated();
                reply("go");
            } else if (line.startsWith("expect ")) {
                await(counters, Long.parseLong(line.substring("expect ".length())));
                reply("messages=" + counters.messages() + " errors=" + counters.errors()
                        + " allocated=" + (allocated() - before));
            } else {
                reply("memory=" + memory());
            }
        }
    }

    private static void await(Counters counters, long expected) throws InterruptedException {
        long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (counters.messages() < expected && System.nanoTime() - deadline < 0) {
            Thread.sleep(1);
        }
    }

    private static String percentiles(Histogram latencies) {
        return latencies == null ? "" : " p50=" + latencies.getValueAtPercentile(50)
                + " p99=" + latencies.getValueAtPercentile(99) + " p999=" + latencies.getValueAtPercentile(99.9);
    }

    private static long allocated() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (long bytes : threads.getThreadAllocatedBytes(threads.getAllThreadIds())) {
            sum += Math.max(bytes, 0);
        }
        return sum;
    }

    /** Live objects plus the process's resident memory. */
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
