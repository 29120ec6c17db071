/** Records that pass through shared memory: the rings, the handshake that shares them, and what wakes the peer. */
package io.github.nettyunix.internal.memory;
