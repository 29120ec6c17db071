/**
 * The benchmarks: {@link io.github.nettyunix.benchmarks.Benchmarks} runs workloads in pairs of processes, whose programs are in
 * {@code peer} and, for raw C, in {@code src/main/c}; {@code report} makes tables, JSON and charts of what came out;
 * {@code jmh} has the microbenchmarks.
 */
package io.github.nettyunix.benchmarks;
