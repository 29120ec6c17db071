/**
 * Child processes that inherit sockets and other descriptors, which {@link java.lang.ProcessBuilder} does not support.
 * Start at {@link io.github.nettyunix.process.ChildProcess}.
 */
package io.github.nettyunix.process;
