package io.github.nettyunix.internal.read;

import io.github.nettyunix.internal.socket.Process;
import io.github.nettyunix.internal.socket.UnixSocket;

/**
 * How far a peer is trusted with descriptors. A process of our own user, or of root, could stop this one with a signal,
 * so precautions against it only prevent accidents: they end once enough traffic has caused none. Every other peer
 * remains a stranger.
 */
public final class PeerTrust {
    private static final int ENOUGH = 1_000;
    /** The uid of all users that this user namespace does not map; Linux's default. */
    private static final int OVERFLOW_UID = 65534;

    private final UnixSocket socket;
    private int messages;
    private int descriptors;
    private boolean trusted;
    private boolean harmless;

    public PeerTrust(UnixSocket socket) {
        this.socket = socket;
    }

    /** Messages that could bring descriptors have arrived. */
    void received(int count) {
        if (messages < ENOUGH) {
            messages += count;
            trusted = messages >= ENOUGH && isOwnUserOrRoot();
        }
    }

    /** Whether the descriptors of several messages may be installed before a handler has seen those of the first. */
    boolean isTrusted() {
        return trusted || harmless;
    }

    /**
     * Whether descriptors that arrive may be closed in place without looking at what they refer to.
     *
     * @param count how many have just arrived
     */
    boolean isHarmless(int count) {
        if (count > 0 && descriptors < ENOUGH) {
            descriptors += count;
            harmless = descriptors >= ENOUGH && isOwnUserOrRoot();
            return false;
        }
        return harmless;
    }

    /** Whether the peer runs as this process's user, or as root; false where that is not known. */
    private boolean isOwnUserOrRoot() {
        int[] peer = new int[3];
        int[] own = new int[3];
        Process.identity(own);
        return socket.peerCredentials(peer) == 0 && peer[0] > 0
                && (peer[1] == 0 || peer[1] == own[1] && peer[1] != OVERFLOW_UID);
    }
}
