package io.github.nettyunix.benchmarks;

import java.util.Map;

/**
 * What came out of one round.
 *
 * @param values by metric: {@code ""} if there is but one, else the percentile
 * @param cpu of both processes
 * @param allocated by both processes, in bytes; negative if they do not tell
 * @param noise the share of the processors that others used
 */
record Round(Map<String, Double> values, long messages, MachineNoise.Cpu cpu, long allocated, double noise) {
}
