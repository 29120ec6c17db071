package io.github.nettyunix.benchmarks;

import java.util.List;

/**
 * One row of the outcome: a workload, a system, and what came out of all rounds. Ratios are above 1 where the system is
 * better; {@code null} stands for what there is not.
 *
 * @param ratioToC to the fastest variant of raw C
 * @param ratioToBestPeer to the best Java system that is not this project's
 */
public record Result(String workload, String system, String unit, double median, double min, double max, int rounds,
                     Double ratioToC, Double ratioToBestPeer, Double userNsPerMessage, Double systemNsPerMessage,
                     Double allocatedBytesPerMessage) {
    static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
