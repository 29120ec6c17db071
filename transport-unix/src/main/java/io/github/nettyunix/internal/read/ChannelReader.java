package io.github.nettyunix.internal.read;

import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;

/** Reads for a channel: bytes, records or connections. */
public interface ChannelReader {
    /** Results of {@link #read} besides the number of messages. */
    int NOTHING = 0;
    int END_OF_STREAM = -1;

    /** The hint of the error if a socket without a peer has no more input. */
    String SHUT_DOWN = "another holder of the socket has shut down its input";

    /**
     * Reads once, and hands what it read to the channel's {@code ReadLoop}.
     *
     * @param before how many messages this turn has already read
     * @return the number of messages, {@link #NOTHING} or {@link #END_OF_STREAM}
     */
    int read(ExtendedHandle allocHandle, int before) throws Exception;

    /** Whether another read may find more. */
    boolean maybeMore();

    /** Whether a read that finds nothing costs little more than the system call. */
    default boolean isPollingCheap() {
        return true;
    }

    /** Whether received messages have not been fired through the pipeline yet. */
    default boolean hasMessages() {
        return false;
    }

    /**
     * The channel begins to wait for messages: returns whether there are some that no event reports, and lets the next
     * one be reported otherwise.
     */
    default boolean awaitMessages() {
        return hasMessages();
    }

    /** The socket is readable; returns whether messages are to be read now. */
    default boolean onReadable() {
        return true;
    }

    /** The peer has gone or sends no more, or the input was shut down here. */
    default void onHangUp() {
    }

    /** Whether messages arrive in memory, so that looking for them costs no system call. */
    default boolean isInMemory() {
        return false;
    }

    /** An event loop that spins looks for messages. */
    default void onPoll() {
    }

    /** An event loop that has looked for messages is about to sleep; returns whether it can, and will be woken. */
    default boolean canSleep() {
        return true;
    }

    /** Fires these messages, and the error that came after them, although no read was requested. */
    default void drain() {
    }

    /** Drops these messages: the channel is being closed. */
    default void close() {
    }
}
