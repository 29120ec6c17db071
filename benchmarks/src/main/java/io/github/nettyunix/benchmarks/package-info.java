/**
 * JMH benchmarks of the Unix transport and its peers:
 * {@code java -cp 'benchmarks/target/classes:benchmarks/target/lib/*' org.openjdk.jmh.Main}.
 */
package io.github.nettyunix.benchmarks;
