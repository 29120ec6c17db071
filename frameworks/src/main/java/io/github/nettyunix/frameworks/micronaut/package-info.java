/** Micronaut's HTTP server on Unix sockets; needs {@code micronaut-http-netty}. */
package io.github.nettyunix.frameworks.micronaut;
