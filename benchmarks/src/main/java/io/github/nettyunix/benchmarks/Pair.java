package io.github.nettyunix.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A server and a client of a contestant, each in a process of its own. While they warm up both processors are theirs, for the
 * sake of the compilers of JVMs; when they are measured each has its own.
 */
final class Pair implements AutoCloseable {
    /** Connections that warm the server up before its memory is measured. */
    private static final int WARM_UP_CONNECTIONS = 1000;

    private final Contestant contestant;
    private final Workload workload;
    private final List<Integer> processors;
    private final Path folder;
    private final PeerProcess server;
    private PeerProcess client;

    Pair(Contestant contestant, Workload workload, List<Integer> processors) throws IOException {
        this.contestant = contestant;
        this.workload = workload;
        this.processors = processors;
        folder = Files.createTempDirectory("benchmarks");
        server = new PeerProcess(contestant.id() + " server", processors,
                contestant.command("server", workload.settings(folder)));
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

    private PeerProcess newClient(Workload of) throws IOException {
        PeerProcess process = new PeerProcess(contestant.id() + " client", processors,
                contestant.command("client", of.settings(folder)));
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
            // Twice, so that what a round begins and ends with is warm too.
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
        long allocated = sent.getOrDefault("allocated", -1L);
        if (workload.operation().isCountedByServer()) {
            server.tell("expect " + messages);
        } else {
            server.tell("expect 0");
        }
        Map<String, Long> received = server.read();
        check("server", received.get("errors") == 0, received);
        check("server", !workload.operation().isCountedByServer() || received.get("messages") == messages, received);
        allocated = allocated < 0 ? allocated : allocated + received.getOrDefault("allocated", 0L);
        MachineNoise.Cpu used = cpu().minus(before);
        double share = noise.share(used);
        double seconds = sent.get("nanos") / 1e9;
        Map<String, Double> values = new LinkedHashMap<>();
        switch (workload.measure()) {
            case RATE -> values.put("", messages / seconds);
            case THROUGHPUT -> values.put("", messages / seconds * workload.size() / 1e9);
            case DESCRIPTORS -> values.put("", messages / seconds * workload.count());
            case LATENCY -> {
                values.put("p50", sent.get("p50") / 1e3);
                values.put("p99", sent.get("p99") / 1e3);
                values.put("p99.9", sent.get("p999") / 1e3);
            }
            case MEMORY -> {
                // Only warmed up like this.
            }
            default -> throw new AssertionError();
        }
        return new Round(values, messages, used, allocated, share);
    }

    private void check(String side, boolean condition, Map<String, Long> said) throws IOException {
        if (!condition) {
            throw new IOException(contestant.id() + ' ' + side + " of " + workload.id()
                    + ": messages were lost or wrong: " + said);
        }
    }

    private Round measureMemory() throws IOException {
        server.tell("memory");
        long before = server.read().get("memory");
        client = newClient(workload);
        client.tell("run 1");
        long messages = client.read().get("messages");
        server.tell("memory");
        long after = server.read().get("memory");
        client.close();
        return new Round(Map.of("", (double) (after - before) / workload.count()), messages, new MachineNoise.Cpu(0, 0), -1, 0);
    }

    /** Leaves the processors to others; between their turns event loops that spin would take them. */
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
    public void close() throws IOException {
        if (client != null) {
            client.close();
        }
        server.close();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
