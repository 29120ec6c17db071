/**
 * {@link io.github.nettyunix.benchmarks.Benchmarks} runs workloads in pairs of processes. Their programs are in
 * {@code peer} and, for raw C, in {@code src/main/c}; {@code report} presents the results; {@code jmh} contains the
 * microbenchmarks.
 */
package io.github.nettyunix.benchmarks;
