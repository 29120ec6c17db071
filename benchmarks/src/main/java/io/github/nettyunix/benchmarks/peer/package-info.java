/** The systems, and the programs that are their two sides. */
package io.github.nettyunix.benchmarks.peer;
