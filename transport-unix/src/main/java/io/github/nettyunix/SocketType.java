package io.github.nettyunix;

import java.util.Locale;

/**
 * The types of AF_UNIX sockets.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public enum SocketType {
    // The native code knows them by their ordinals.

    /** SOCK_STREAM: a connection that carries bytes. */
    STREAM,
    /** SOCK_SEQPACKET: a connection that carries records. macOS has no such sockets. */
    SEQPACKET,
    /** SOCK_DGRAM: records without a connection, which are reliable and ordered on Unix domain sockets. */
    DATAGRAM;

    /** Returns the name as it appears in error messages: {@code stream}, {@code seqpacket}, {@code datagram}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
