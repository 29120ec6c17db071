/** Binding, connecting and adopting: names, socket files, and the identity of the peer. */
package io.github.nettyunix.internal.endpoint;
