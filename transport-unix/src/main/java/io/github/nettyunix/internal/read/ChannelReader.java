package io.github.nettyunix.internal.read;

import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;

/** Reads for a channel: bytes, records or connections. */
public interface ChannelReader {
    /** Results of {@link #read} besides the number of messages. */
    int NOTHING = 0;
    int END_OF_STREAM = -1;

    /** Why a socket without a peer has come to its end. */
    String SHUT_DOWN = "another holder of the socket has shut down its input";

    /**
     * Reads once, and hands what it read to the channel's {@code ReadLoop}.
     *
     * @param before how many messages were read in this turn already
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

    /** Fires them, although no read was requested. */
    default void drain() {
    }

    /** Drops them: the channel is being closed. */
    default void close() {
    }
}
