package io.github.nettyunix.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs workloads. In each round, every system has one turn. */
final class Runner {
    /** How long to run. Processes live through all rounds, except those whose memory is measured. */
    record Plan(int rounds, long warmUpMillis, long roundMillis) {
        /** About the time that processes take to start and to end. */
        private static final long START_MILLIS = 1100;

        /** A connection runs much more code than a message, and less often. */
        long warmUpMillis(Workload workload) {
            return workload.operation() == Operation.CONNECT ? 3 * warmUpMillis : warmUpMillis;
        }

        /** Memory does not depend on the processors' speed, and each of its rounds needs new processes. */
        int rounds(Workload workload) {
            return keepsProcesses(workload) ? rounds : Math.min(rounds, 3);
        }

        long millis(Workload workload) {
            long start = START_MILLIS + warmUpMillis(workload);
            int rounds = rounds(workload);
            return keepsProcesses(workload) ? start + rounds * roundMillis : rounds * (start + roundMillis);
        }

        private static boolean keepsProcesses(Workload workload) {
            return workload.measure() != Workload.Measure.MEMORY;
        }
    }

    private static final int MAX_ATTEMPTS = 4;

    private final Plan plan;
    private final List<BenchmarkedSystem> systems;
    private final List<Integer> processors;
    private final long start = System.nanoTime();
    private long totalTurns;
    private long totalMillis;
    private long turns;

    Runner(Plan plan, List<BenchmarkedSystem> systems, List<Workload> workloads, List<Integer> processors) {
        this.plan = plan;
        this.systems = systems;
        this.processors = processors;
        for (Workload workload : workloads) {
            long supporting = systems.stream().filter(system -> system.supports(workload)).count();
            totalTurns += supporting * plan.rounds(workload);
            totalMillis += supporting * plan.millis(workload);
        }
    }

    /** The time left is at first that of the plan, and then increasingly extrapolated from the turns so far. */
    private void reportProgress(Workload workload) {
        double done = (double) turns / totalTurns;
        double elapsed = (System.nanoTime() - start) / 1e6;
        long seconds = Math.round((1 - done) * (turns == 0 ? totalMillis : (1 - done) * totalMillis + elapsed) / 1000);
        System.err.printf("[%.0f %%, %s left] %s%n", done * 100,
                seconds >= 90 ? Math.round(seconds / 60.0) + " min" : seconds + " s", workload.id());
    }

    Outcome run(Workload workload) {
        Map<BenchmarkedSystem, List<Round>> rounds = new LinkedHashMap<>();
        systems.stream().filter(system -> system.supports(workload))
                .forEach(system -> rounds.put(system, new ArrayList<>()));
        List<BenchmarkedSystem> running = new ArrayList<>(rounds.keySet());
        if (!running.isEmpty()) {
            reportProgress(workload);
        }
        Map<BenchmarkedSystem, PeerPair> pairs = new HashMap<>();
        try {
            for (int i = 0; i < plan.rounds(workload); i++) {
                for (BenchmarkedSystem system : List.copyOf(running)) {
                    turns++;
                    try {
                        rounds.get(system).add(turn(system, workload, pairs));
                    } catch (IOException e) {
                        System.err.println("failed: " + e.getMessage());
                        running.remove(system);
                        rounds.get(system).clear();
                        if (pairs.containsKey(system)) {
                            pairs.remove(system).close();
                        }
                    }
                }
            }
        } finally {
            pairs.values().forEach(PeerPair::close);
        }
        return new Outcome(workload, rounds);
    }

    private Round turn(BenchmarkedSystem system, Workload workload, Map<BenchmarkedSystem, PeerPair> pairs)
            throws IOException {
        PeerPair pair = pairs.get(system);
        if (pair == null) {
            pair = new PeerPair(system, workload, processors);
            pairs.put(system, pair);
            pair.warmUp(plan.warmUpMillis(workload));
        } else {
            pair.resume();
        }
        Round round = measure(pair);
        if (Plan.keepsProcesses(workload)) {
            pair.pause();
        } else {
            pairs.remove(system).close();
        }
        return round;
    }

    /** Measures once, or on a noisy machine the quietest of several times. */
    private Round measure(PeerPair pair) throws IOException {
        Round quietest = pair.measure(plan.roundMillis);
        for (int i = 1; i < MAX_ATTEMPTS && quietest.noise() > MachineNoise.QUIET; i++) {
            Round round = pair.measure(plan.roundMillis);
            quietest = round.noise() < quietest.noise() ? round : quietest;
        }
        return quietest;
    }
}
