package io.github.nettyunix;

import io.github.nettyunix.socket.UnixSocket;

/**
 * How far a peer is trusted with descriptors. A process of our own user, or of root, could stop this one with a signal,
 * so precautions against it only prevent accidents: they end once enough traffic has caused none. Every other peer
 * remains a stranger.
 */
final class PeerTrust {
    private static final int ENOUGH = 1_000;

    private final UnixSocket socket;
    private int messages;
    private int descriptors;
    private boolean trusted;
    private boolean harmless;

    PeerTrust(UnixSocket socket) {
        this.socket = socket;
    }

    /** Messages that could bring descriptors have arrived. */
    void received(int count) {
        if (messages < ENOUGH) {
            messages += count;
            trusted = messages >= ENOUGH && PeerIdentity.isOwnUserOrRoot(socket);
        }
    }

    /** Whether the descriptors of several messages may be installed before a handler has seen those of the first. */
    boolean isTrusted() {
        return trusted || harmless;
    }

    /**
     * Whether descriptors that arrive may be closed in place without a look at what they are of.
     *
     * @param count how many have arrived now
     */
    boolean isHarmless(int count) {
        if (count > 0 && descriptors < ENOUGH) {
            descriptors += count;
            harmless = descriptors >= ENOUGH && PeerIdentity.isOwnUserOrRoot(socket);
            return false;
        }
        return harmless;
    }
}
