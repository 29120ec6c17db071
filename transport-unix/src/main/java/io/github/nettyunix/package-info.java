/**
 * Netty channels for Unix domain sockets of all three types, through which bytes, file descriptors and credentials
 * travel together. Start at {@link io.github.nettyunix.UnixTransport}.
 */
package io.github.nettyunix;
