package io.github.nettyunix;

/**
 * What a datagram channel does with a message whose recipient's queue is full.
 *
 * @see UnixSocketOption#DATAGRAM_QUEUE_FULL
 */
public enum DatagramQueueFull {
    /**
     * Waits until the recipient has read, for {@link UnixSocketOption#DATAGRAM_WAIT_MILLIS} at most; then the promise
     * fails with EAGAIN. Messages to other recipients go out meanwhile, as long as those that nobody has read yet leave
     * room in {@code SO_SNDBUF}.
     */
    WAIT,
    /** Fails the message's promise with EAGAIN. */
    FAIL,
    /**
     * Drops the message and completes its promise as if it had been sent; {@link UnixDatagramChannel#droppedMessages}
     * counts.
     */
    DROP
}
