/** gRPC on Unix sockets, with peer credentials and descriptors in interceptors; needs {@code grpc-netty}. */
package io.github.nettyunix.frameworks.grpc;
