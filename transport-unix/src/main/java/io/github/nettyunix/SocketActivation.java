package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.Process;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.Channel;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Sockets that a parent process has opened for this one, as systemd does for socket units. They are passed from
 * descriptor 3 on, and described by the environment variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES.
 * <pre>{@code
 * for (SocketActivation.Activated socket : SocketActivation.sockets()) {
 *     new ServerBootstrap().group(group).channelFactory(() -> (ServerChannel) socket.channel())
 *             .childHandler(...).register();
 * }
 * }</pre>
 * <p>A socket that a parent passes as standard input, as inetd does, is adopted with
 * {@link UnixTransport#adopt(int) UnixTransport.adopt(0)}. To be the parent, pass the sockets to a
 * {@link io.github.nettyunix.process.ChildProcess} from descriptor 3 on.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/sd_listen_fds.3.html">sd_listen_fds(3)</a>
 */
public final class SocketActivation {
    private static final int FIRST = 3;
    private static final String PID = "LISTEN_PID";
    private static final String COUNT = "LISTEN_FDS";
    private static final String NAMES = "LISTEN_FDNAMES";
    private static final List<String> VARIABLES = List.of(PID, COUNT, NAMES, "LISTEN_PIDFDID");
    /** The name that sd_listen_fds_with_names(3) gives an unnamed socket. */
    private static final String UNNAMED = "unknown";

    private static List<Other> others = List.of();

    private SocketActivation() {
    }

    /**
     * A socket that was passed to this process.
     *
     * @param name its name in LISTEN_FDNAMES (FileDescriptorName= of a socket unit); {@code unknown} if it has none
     * @param channel the channel, which the caller must register; its class depends on the socket, as with
     *        {@link UnixTransport#adopt(int)}, and its socket file stays when it closes
     */
    public record Activated(String name, Channel channel) {
    }

    /**
     * A descriptor that was passed to this process and is not an AF_UNIX socket, for example a TCP socket or a FIFO of
     * the same unit. It is open and belongs to the caller of {@link #sockets()}.
     *
     * @param name its name in LISTEN_FDNAMES; {@code unknown} if it has none
     * @param fd its number
     */
    public record Other(String name, int fd) {
    }

    /**
     * Takes the AF_UNIX sockets that were passed to this process; {@link #others()} lists the other descriptors. All
     * descriptors become close-on-exec. The first call transfers them to its caller. It removes the variables from the
     * environment of the process, so that a second call finds nothing, and children started by native code do not
     * mistake the sockets for theirs. {@link System#getenv()} and {@link ProcessBuilder} use a copy of the environment
     * that Java makes when it is first used, which may be before this call; see {@link #clean}.
     *
     * <p>Call this method when the program starts: no other thread may use the environment in native code meanwhile.
     *
     * @return the sockets, in the order in which they were passed; empty if none were passed
     * @throws io.netty.channel.ChannelException if the variables are invalid or a descriptor is not open; descriptors
     *         and variables then do not change, except that descriptors may have become close-on-exec
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static synchronized List<Activated> sockets() {
        NativeTransport.ensureAvailability();
        String pid = Process.variable(PID);
        if (pid == null || !pid.equals(Integer.toString(UnixCredentials.ofThisProcess().pid()))) {
            return List.of();
        }
        int count = count(Process.variable(COUNT));
        List<String> names = names(Process.variable(NAMES), count);
        for (int i = 0; i < count; i++) {
            int result = FileDescriptors.closeOnExec(FIRST + i, true);
            if (result < 0) {
                throw SocketErrors.newChannelException(Operation.ACTIVATE, null, null, result,
                        "descriptor " + (FIRST + i) + ", "
                        + names.get(i));
            }
        }
        List<Activated> sockets = new ArrayList<>(count);
        List<Other> rest = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (UnixSocket.describe(FIRST + i) >= 0) {
                sockets.add(new Activated(names.get(i), UnixTransport.adopt(FIRST + i)));
            } else {
                rest.add(new Other(names.get(i), FIRST + i));
            }
        }
        VARIABLES.forEach(Process::unset);
        others = List.copyOf(rest);
        return List.copyOf(sockets);
    }

    /**
     * Returns the passed descriptors that are not AF_UNIX sockets. {@link #sockets()} leaves them open and does not
     * change them, except that they become close-on-exec. The code that uses them must close them.
     *
     * @return the descriptors, in the order in which they were passed, on every call; empty before {@link #sockets()}
     *         has been called
     */
    public static synchronized List<Other> others() {
        return others;
    }

    /**
     * Removes the variables of the protocol from the environment of a future child. Use it for children started by
     * {@link ProcessBuilder}, because Java's copy of the environment may have been made before {@link #sockets} was
     * called.
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
            // It is not a number.
        }
        throw SocketErrors.newChannelException(Operation.ACTIVATE, null, null, Errno.EINVAL, COUNT + " is " + text);
    }

    private static List<String> names(String text, int count) {
        if (text == null || count == 0) {
            return Collections.nCopies(count, UNNAMED);
        }
        List<String> names = List.of(text.split(":", -1));
        if (names.size() != count) {
            throw SocketErrors.newChannelException(Operation.ACTIVATE, null, null, Errno.EINVAL,
                    NAMES + " is " + text + ", and " + COUNT + " is " + count);
        }
        return names;
    }
}
