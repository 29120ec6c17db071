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
     * @throws UnsupportedOperationException if the platform cannot report it
     */
    UnixCredentials peerCredentials() throws IOException;

    /**
     * A descriptor of the process that {@link #peerCredentials()} names, which distinguishes it from any later process
     * with the same pid: it becomes readable when the process ends, and can be given to whoever sends it signals. Linux
     * 6.5 and later.
     *
     * @return a new descriptor, which belongs to the caller; SO_PEERPIDFD, see
     *         <a href="https://man7.org/linux/man-pages/man2/pidfd_open.2.html">pidfd_open(2)</a>
     * @throws IOException if the channel is closed or not connected, this process may have no more descriptors, or,
     *         before Linux 6.16, the peer's process has ended (ESRCH)
     * @throws UnsupportedOperationException if the platform has no such option
     */
    UnixFileDescriptor peerPidFd() throws IOException;

    /**
     * What the kernel's security module (SELinux, AppArmor, Smack) calls the peer's process. Linux 2.6.2 and later.
     *
     * @return the label, without the NUL that some modules put behind it; SO_PEERSEC of
     *         <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
     * @throws IOException if the channel is closed or not connected
     * @throws UnsupportedOperationException if the platform has no such option, or no security module that labels
     *         sockets
     */
    String peerSecurityLabel() throws IOException;
}
