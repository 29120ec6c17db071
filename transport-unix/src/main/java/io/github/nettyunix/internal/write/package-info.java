/** Writes to sockets: queues, batches, waiting for room, and retries. */
package io.github.nettyunix.internal.write;
