package io.github.nettyunix.internal.read;

/**
 * Guesses whether a socket has more data when the kernel has not said so, because a message with descriptors has ended
 * the read. A read that finds nothing costs about as much as one that finds something, and a peer that waits for a
 * reply has sent nothing more. The guess is therefore what happened last, and from time to time another read is tried.
 */
public final class MoreExpected {
    private static final int TRY_EVERY = 16;

    private boolean several;
    private int turns;

    /** A message was found; returns whether to look for the next one. */
    boolean found(int before) {
        if (before > 0) {
            several = true;
        }
        return several || ++turns % TRY_EVERY == 0;
    }

    /** Called when nothing was found after {@code before} messages. */
    void foundNothing(int before) {
        if (before == 1) {
            several = false;
        }
    }
}
