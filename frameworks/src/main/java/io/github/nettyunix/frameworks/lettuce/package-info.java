/** Lettuce, the client of Redis, on Unix sockets; needs {@code lettuce-core}. */
package io.github.nettyunix.frameworks.lettuce;
