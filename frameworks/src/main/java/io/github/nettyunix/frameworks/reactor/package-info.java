/** Reactor Netty on Unix sockets, and with it Spring WebFlux and R2DBC; needs {@code reactor-netty-core}. */
package io.github.nettyunix.frameworks.reactor;
