package io.github.nettyunix.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs workloads: in every round each contestant has its turn. */
final class Runner {
    /** How long to run. Processes live through all rounds, but for those whose memory is measured. */
    record Plan(int rounds, long warmUpMillis, long roundMillis) {
        /** About what the processes' start and end take. */
        private static final long START_MILLIS = 1100;

        /** A connection goes through much more code than a message, and less often. */
        long warmUpMillis(Workload workload) {
            return workload.operation() == Operation.CONNECT ? 3 * warmUpMillis : warmUpMillis;
        }

        /** Memory does not depend on how fast processors are, and every round of it takes new processes. */
        int rounds(Workload workload) {
            return isKept(workload) ? rounds : Math.min(rounds, 3);
        }

        long millis(Workload workload) {
            long start = START_MILLIS + warmUpMillis(workload);
            int rounds = rounds(workload);
            return isKept(workload) ? start + rounds * roundMillis : rounds * (start + roundMillis);
        }

        /** Whether processes live through all rounds: memory is measured once in the life of one. */
        private static boolean isKept(Workload workload) {
            return workload.measure() != Workload.Measure.MEMORY;
        }
    }

    private static final int TRIES = 4;

    private final Plan plan;
    private final List<Contestant> contestants;
    private final List<Integer> processors;
    private final Progress progress;

    Runner(Plan plan, List<Contestant> contestants, List<Integer> processors, Progress progress) {
        this.plan = plan;
        this.contestants = contestants;
        this.processors = processors;
        this.progress = progress;
    }

    Outcome run(Workload workload) {
        Map<Contestant, List<Round>> rounds = new LinkedHashMap<>();
        contestants.forEach(contestant -> rounds.put(contestant, new ArrayList<>()));
        List<Contestant> running = new ArrayList<>(contestants.stream().filter(c -> c.supports(workload)).toList());
        Map<Contestant, Pair> pairs = new HashMap<>();
        try {
            for (int i = 0; i < plan.rounds(workload); i++) {
                for (Contestant contestant : List.copyOf(running)) {
                    progress.turn(workload, contestant, i + 1, plan.rounds(workload));
                    try {
                        Pair pair = pairs.get(contestant);
                        if (pair == null) {
                            pair = new Pair(contestant, workload, processors);
                            pairs.put(contestant, pair);
                            pair.warmUp(plan.warmUpMillis(workload));
                        } else {
                            pair.resume();
                        }
                        rounds.get(contestant).add(measure(pair));
                        if (Plan.isKept(workload)) {
                            pair.pause();
                        } else {
                            pairs.remove(contestant).close();
                        }
                    } catch (IOException e) {
                        progress.failed(e.getMessage());
                        running.remove(contestant);
                        rounds.get(contestant).clear();
                        close(pairs.remove(contestant));
                    }
                }
            }
        } finally {
            pairs.values().forEach(Runner::close);
        }
        return new Outcome(workload, rounds);
    }

    /** One round; on a machine that is not quiet, the quietest of some. */
    private Round measure(Pair pair) throws IOException {
        Round quietest = pair.measure(plan.roundMillis);
        for (int i = 1; i < TRIES && quietest.noise() > MachineNoise.QUIET; i++) {
            Round round = pair.measure(plan.roundMillis);
            quietest = round.noise() < quietest.noise() ? round : quietest;
        }
        return quietest;
    }

    private static void close(Pair pair) {
        try {
            if (pair != null) {
                pair.close();
            }
        } catch (IOException e) {
            System.err.println(e);
        }
    }
}
