/** Microbenchmarks of the hot paths: {@code benchmarks/run jmh -prof gc}. */
package io.github.nettyunix.benchmarks.jmh;
