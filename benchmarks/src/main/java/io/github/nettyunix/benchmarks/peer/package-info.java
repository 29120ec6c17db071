/** The Java systems, and the program that runs one side of them. */
package io.github.nettyunix.benchmarks.peer;
