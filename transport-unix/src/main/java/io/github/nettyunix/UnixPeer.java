package io.github.nettyunix;

import java.io.IOException;

/**
 * The process at the other end of a connection. All methods query the kernel and may be called from any thread.
 *
 * <p>Tests of handlers may implement this interface, in a subclass of {@code EmbeddedChannel} for example. Methods that
 * are added in later versions will have a default, which throws {@link UnsupportedOperationException}.
 */
public interface UnixPeer {
    /**
     * Returns the credentials that the peer had when it connected or, on the client's side, when the server started to
     * listen. For the channels of a {@code pair()}, these are the credentials of the process that created it. They
     * include the supplementary groups on Linux 4.13 and later.
     *
     * @return the credentials; SO_PEERCRED and SO_PEERGROUPS of
     *         <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
     * @throws IOException if the channel is closed or not connected
     * @throws UnsupportedOperationException if the platform cannot report it
     */
    UnixCredentials peerCredentials() throws IOException;

    /**
     * Returns a descriptor of the process that {@link #peerCredentials()} names. Unlike a pid, it always refers to that
     * process. It becomes readable when the process ends, and can be used to send it signals. Linux 6.5 and later.
     *
     * @return a new descriptor, which belongs to the caller; SO_PEERPIDFD, see
     *         <a href="https://man7.org/linux/man-pages/man2/pidfd_open.2.html">pidfd_open(2)</a>
     * @throws IOException if the channel is closed or not connected, this process has reached its limit of descriptors,
     *         or, before Linux 6.16, the peer's process has ended (ESRCH)
     * @throws UnsupportedOperationException if the platform has no such option
     */
    UnixFileDescriptor peerPidFd() throws IOException;

    /**
     * Returns the label that the kernel's security module (SELinux, AppArmor, Smack) gives the peer's process. Linux
     * 2.6.2 and later.
     *
     * @return the label, without the trailing NUL that some modules add; SO_PEERSEC of
     *         <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
     * @throws IOException if the channel is closed or not connected
     * @throws UnsupportedOperationException if the platform has no such option, or no security module that labels
     *         sockets
     */
    String peerSecurityLabel() throws IOException;
}
