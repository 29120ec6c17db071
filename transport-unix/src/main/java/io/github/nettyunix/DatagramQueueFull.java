package io.github.nettyunix;

/**
 * The possible treatments of a datagram whose recipient's queue is full.
 *
 * @see UnixSocketOption#DATAGRAM_QUEUE_FULL
 */
public enum DatagramQueueFull {
    /**
     * Waits until the recipient has read, for at most {@link UnixSocketOption#DATAGRAM_WAIT_MILLIS}; then the promise
     * fails with EAGAIN. Meanwhile, datagrams to other recipients are sent, as long as unread datagrams leave room in
     * {@code SO_SNDBUF}.
     */
    WAIT,
    /** Fails the promise with EAGAIN. */
    FAIL,
    /**
     * Drops the datagram and completes its promise as if it had been sent. {@link UnixDatagramChannel#droppedMessages}
     * counts these datagrams.
     */
    DROP
}
