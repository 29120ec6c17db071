package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.FileDescriptors;
import io.github.nettyunix.socket.Process;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.channel.Channel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Sockets that a parent process opened for this one and passed on, as systemd does for socket units: from descriptor 3 on, and
 * named by the environment variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
 * <pre>{@code
 * for (SocketActivation.Activated socket : SocketActivation.sockets()) {
 *     new ServerBootstrap().group(group).channelFactory(() -> (ServerChannel) socket.channel())
 *             .childHandler(...).register();
 * }
 * }</pre>
 * A socket that a parent passes as standard input, as inetd does, is {@link UnixTransport#adopt(int) UnixTransport.adopt(0)}. To
 * be the parent, give a {@link ChildProcess} the sockets from descriptor 3 on.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/sd_listen_fds.3.html">sd_listen_fds(3)</a>
 */
public final class SocketActivation {
    private static final int FIRST = 3;
    private static final String PID = "LISTEN_PID";
    private static final String COUNT = "LISTEN_FDS";
    private static final String NAMES = "LISTEN_FDNAMES";
    private static final List<String> VARIABLES = List.of(PID, COUNT, NAMES, "LISTEN_PIDFDID");
    /** What sd_listen_fds_with_names(3) calls a socket that was not named. */
    private static final String UNNAMED = "unknown";

    private SocketActivation() {
    }

    /**
     * A socket that was passed to this process.
     *
     * @param name what it is called in LISTEN_FDNAMES (FileDescriptorName= of a socket unit); {@code unknown} without that
     * @param channel the channel, of a class that follows from the socket as {@link UnixTransport#adopt(int)} says, to be
     *        registered by the caller; its socket file stays when it closes
     */
    public record Activated(String name, Channel channel) {
    }

    /**
     * Takes the sockets that were passed to this process. They become close-on-exec first of all. With the first call they are
     * the caller's: it removes the variables from the process's environment, so that a second one finds nothing, and children
     * that native code starts do not take them for theirs. {@link System#getenv()} and {@link ProcessBuilder} have a copy of the
     * environment that Java makes when it is first asked for it, maybe before this call: see {@link #clean}.
     *
     * <p>To be called when the program starts: other threads must not use the environment in native code meanwhile.
     *
     * @return the sockets, in the order in which they were passed; none if the process was not started so
     * @throws io.netty.channel.ChannelException if one of them is no AF_UNIX socket, or if the variables make no sense; then all
     *         descriptors and variables stay as they are, except that the descriptors are close-on-exec
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static synchronized List<Activated> sockets() {
        UnixTransport.ensureAvailability();
        String pid = Process.variable(PID);
        if (pid == null || !pid.equals(Integer.toString(UnixCredentials.ofThisProcess().pid()))) {
            return List.of();
        }
        int count = count(Process.variable(COUNT));
        List<String> names = names(Process.variable(NAMES), count);
        for (int i = 0; i < count; i++) {
            int result = FileDescriptors.closeOnExec(FIRST + i);
            if (result < 0) {
                throw UnixErrors.newUnchecked("activate", null, null, result, "descriptor " + (FIRST + i) + ", " + names.get(i));
            }
        }
        for (int i = 0; i < count; i++) {
            int found = UnixSocket.describe(FIRST + i);
            if (found < 0) {
                throw UnixErrors.newUnchecked("activate", null, null, found, "descriptor " + (FIRST + i) + ", " + names.get(i)
                        + ", is no AF_UNIX socket");
            }
        }
        List<Activated> sockets = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            sockets.add(new Activated(names.get(i), UnixTransport.adopt(FIRST + i)));
        }
        VARIABLES.forEach(Process::unset);
        return List.copyOf(sockets);
    }

    /**
     * Removes the variables of the protocol from what will be a child's environment. Children started by {@link ProcessBuilder} need
     * it, since Java's copy of the environment may be older than {@link #sockets}.
     *
     * @param environment {@link ProcessBuilder#environment()}, for example
     */
    public static void clean(Map<String, String> environment) {
        VARIABLES.forEach(environment::remove);
    }

    private static int count(String text) {
        try {
            int count = text == null ? 0 : Integer.parseInt(text);
            if (count >= 0 && count <= Integer.MAX_VALUE - FIRST) {
                return count;
            }
        } catch (NumberFormatException ignored) {
            // It is no number at all.
        }
        throw UnixErrors.newUnchecked("activate", null, null, Errno.EINVAL, COUNT + " is " + text);
    }

    private static List<String> names(String text, int count) {
        if (text == null || count == 0) {
            return Collections.nCopies(count, UNNAMED);
        }
        List<String> names = List.of(text.split(":", -1));
        if (names.size() != count) {
            throw UnixErrors.newUnchecked("activate", null, null, Errno.EINVAL, NAMES + " is " + text + ", and " + COUNT + " is "
                    + count);
        }
        return names;
    }
}
