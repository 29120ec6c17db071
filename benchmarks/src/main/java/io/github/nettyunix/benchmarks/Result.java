package io.github.nettyunix.benchmarks;

import java.util.List;

/**
 * The result of one system in one workload, over all rounds: a row of the JSON file. Ratios are above 1 where the
 * system is better; {@code null} means that there is no value.
 *
 * @param ratioToC to the faster of the two raw C programs
 * @param ratioToBestPeer to the best Java system other than this project's
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
