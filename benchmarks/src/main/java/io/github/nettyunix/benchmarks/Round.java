package io.github.nettyunix.benchmarks;

import java.util.Map;

/**
 * The figures of one round.
 *
 * @param values by metric: a percentile, or {@code ""} where there is only one value
 * @param cpu of both processes
 * @param allocated by both processes, in bytes; negative if unknown
 * @param noise the share of the processors that others used
 */
record Round(Map<String, Double> values, long messages, MachineNoise.Cpu cpu, long allocated, double noise) {
}
