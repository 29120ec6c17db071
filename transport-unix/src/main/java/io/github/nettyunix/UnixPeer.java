package io.github.nettyunix;

import java.io.IOException;

/**
 * The process at the other end of a connection. All methods ask the kernel and may be called from any thread.
 */
public interface UnixPeer {
    /**
     * Who the peer was when it connected, or, seen from the client, when the server began to listen; for the ends of
     * {@code pair()}, who made them. The supplementary groups are part of it on Linux 4.13 and later.
     *
     * @return the credentials; SO_PEERCRED and SO_PEERGROUPS of
     *         <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
     * @throws IOException if the channel is closed or not connected
     * @throws UnsupportedOperationException if the platform cannot tell
     */
    UnixCredentials peerCredentials() throws IOException;
}
