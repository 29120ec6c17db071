package io.github.nettyunix.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A server and a client of a system, each in its own process. While they warm up they share both processors, so that
 * the JIT compilers finish in time; while they are measured each has one to itself.
 */
final class PeerPair implements AutoCloseable {
    /** Connections that warm the server up before its memory is measured. */
    private static final int WARM_UP_CONNECTIONS = 1000;

    private final BenchmarkedSystem system;
    private final Workload workload;
    private final List<Integer> processors;
    private final Path folder;
    private final PeerProcess server;
    private PeerProcess client;

    PeerPair(BenchmarkedSystem system, Workload workload, List<Integer> processors) throws IOException {
        this.system = system;
        this.workload = workload;
        this.processors = processors;
        folder = Files.createTempDirectory("benchmarks");
        server = newProcess("server", workload);
        try {
            server.await("ready");
            if (workload.measure() != Workload.Measure.MEMORY) {
                client = newClient(workload);
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    private PeerProcess newProcess(String side, Workload of) throws IOException {
        return new PeerProcess(system.id() + ' ' + side, processors, system.command(side, of.settings(folder)));
    }

    private PeerProcess newClient(Workload of) throws IOException {
        PeerProcess process = newProcess("client", of);
        process.await("ready");
        return process;
    }

    /** Runs without measuring. */
    void warmUp(long millis) throws IOException {
        if (workload.measure() == Workload.Measure.MEMORY) {
            client = newClient(workload.withCount(WARM_UP_CONNECTIONS));
            measureRate(millis);
            client.close();
            server.pin(processors.get(0));
        } else {
            // Twice, so that the code at the beginning and at the end of a round is warm too.
            measureRate(millis / 2);
            server.pin(processors.get(0));
            client.pin(processors.get(1));
            measureRate(millis / 2);
        }
    }

    Round measure(long millis) throws IOException {
        return workload.measure() == Workload.Measure.MEMORY ? measureMemory() : measureRate(millis);
    }

    private Round measureRate(long millis) throws IOException {
        MachineNoise.Cpu before = cpu();
        MachineNoise noise = new MachineNoise(processors);
        server.tell("run");
        server.await("go");
        client.tell("run " + millis);
        Map<String, Long> sent = client.read();
        long messages = sent.get("messages");
        check("client", sent.get("errors") == 0, sent);
        // Only the client can count echoes.
        boolean countedByServer = workload.operation() != Operation.ECHO;
        server.tell("expect " + (countedByServer ? messages : 0));
        Map<String, Long> received = server.read();
        check("server", received.get("errors") == 0, received);
        check("server", !countedByServer || received.get("messages") == messages, received);
        MachineNoise.Cpu used = cpu().minus(before);
        double share = noise.share(used);
        long allocated = sent.containsKey("allocated") ? sent.get("allocated") + received.get("allocated") : -1;
        return new Round(values(messages / (sent.get("nanos") / 1e9), sent), messages, used, allocated, share);
    }

    private Map<String, Double> values(double rate, Map<String, Long> sent) {
        return switch (workload.measure()) {
            case RATE -> Map.of("", rate);
            case THROUGHPUT -> Map.of("", rate * workload.size() / 1e9);
            case DESCRIPTORS -> Map.of("", rate * workload.count());
            case LATENCY -> new TreeMap<>(Map.of("p50", sent.get("p50") / 1e3, "p99", sent.get("p99") / 1e3,
                    "p99.9", sent.get("p999") / 1e3));
            // Messages only warm the server up.
            case MEMORY -> Map.of();
        };
    }

    private void check(String side, boolean condition, Map<String, Long> reply) throws IOException {
        if (!condition) {
            throw new IOException("%s %s of %s: messages were lost or wrong: %s".formatted(system.id(), side,
                    workload.id(), reply));
        }
    }

    private Round measureMemory() throws IOException {
        server.tell("memory");
        long before = server.read().get("memory");
        client = newClient(workload);
        client.tell("run 1");
        long messages = client.read().get("messages");
        server.tell("memory");
        double perConnection = (double) (server.read().get("memory") - before) / workload.count();
        client.close();
        return new Round(Map.of("", perConnection), messages, new MachineNoise.Cpu(0, 0), -1, 0);
    }

    /** Stops both sides, so that others have the processors: an event loop that spins would occupy one. */
    void pause() throws IOException {
        server.pause();
        client.pause();
    }

    void resume() throws IOException {
        server.resume();
        client.resume();
    }

    private MachineNoise.Cpu cpu() throws IOException {
        return MachineNoise.Cpu.of(server.pid()).plus(MachineNoise.Cpu.of(client.pid()));
    }

    @Override
    public void close() {
        if (client != null) {
            client.close();
        }
        server.close();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            System.err.println(e);
        }
    }
}
