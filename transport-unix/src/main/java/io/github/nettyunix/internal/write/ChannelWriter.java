package io.github.nettyunix.internal.write;

import io.netty.channel.ChannelOutboundBuffer;

import java.io.IOException;

/** Writes for a channel: bytes, records or datagrams. */
public interface ChannelWriter {
    /** The writer of a server. */
    ChannelWriter NONE = new ChannelWriter() {
        @Override
        public Object filter(Object message) {
            throw new UnsupportedOperationException("write to a server");
        }

        @Override
        public void write(ChannelOutboundBuffer in, int maxMessages) {
            throw new UnsupportedOperationException("write to a server");
        }
    };

    /** Refuses a message that cannot be sent; for any other, returns what Netty's queue is to hold. */
    Object filter(Object message) throws IOException;

    /**
     * Writes flushed messages, as far as the socket accepts them. An exception ends the output.
     *
     * @param maxMessages how many may be sent before others get their turn
     */
    void write(ChannelOutboundBuffer in, int maxMessages) throws Exception;

    /** Called when written messages may be sent. */
    default void flushed() {
    }

    /** The socket has room again. */
    default void onWritable() {
    }

    /** Whether some messages can be sent although the socket's peer accepts no more. */
    default boolean canBypassPeer() {
        return false;
    }

    /** Completes the promises of what the kernel has taken, before all others fail. */
    default void completeSent() {
    }

    /** The channel leaves its event loop. */
    default void deregistered() {
    }

    /** The channel was registered again: writes that wait for a delay may continue at once. */
    default void onReregistered() {
    }

    /** The channel was closed. */
    default void close() {
    }
}
