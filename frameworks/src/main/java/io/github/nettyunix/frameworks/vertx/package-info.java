/** Vert.x on Unix sockets; needs {@code vertx-core}. */
package io.github.nettyunix.frameworks.vertx;
