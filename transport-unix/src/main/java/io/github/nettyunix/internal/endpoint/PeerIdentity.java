package io.github.nettyunix.internal.endpoint;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.errors.ErrorDetails;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Queries the kernel for the identity of the peer. */
public final class PeerIdentity {
    private static final int SOME_GROUPS = 64;
    /** NGROUPS_MAX of Linux. */
    private static final int ALL_GROUPS = 65536;
    private static final int LONGEST_LABEL = 4096;

    private PeerIdentity() {
    }

    /** See {@link UnixPeer#peerCredentials()}. */
    public static UnixCredentials credentials(ChannelCore core) throws IOException {
        int[] ids = new int[3];
        int result = peerIds(core, ids);
        if (result == -Errno.ENOPROTOOPT) {
            throw new UnsupportedOperationException("SO_PEERCRED " + core.type() + ": not on this platform");
        }
        if (result < 0) {
            throw newException(core, "SO_PEERCRED", result, null);
        }
        return new UnixCredentials(ids[0], ids[1], ids[2], groups(core));
    }

    /** The kernel also returns credentials for a socket without a peer, with no process and no user. */
    private static int peerIds(ChannelCore core, int[] ids) {
        int result = core.socket().peerCredentials(ids);
        return result == 0 && ids[0] == 0 && ids[1] == -1 ? -Errno.ENOTCONN : result;
    }

    /** See {@link UnixPeer#peerPidFd()}. */
    public static UnixFileDescriptor pidFd(ChannelCore core) throws IOException {
        int result = core.socket().peerPidFd();
        if (result < 0) {
            // The result for a socket without a peer depends on the kernel version.
            int peer = peerIds(core, new int[3]);
            throw pidFdFailure(core, peer < 0 && result != -Errno.ENOPROTOOPT ? peer : result);
        }
        return UnixFileDescriptor.adopt(result);
    }

    /** Returns the exception for an errno: the kernel is too old, or the peer's process has ended. */
    public static IOException pidFdFailure(ChannelCore core, int errno) {
        if (errno == -Errno.ENOPROTOOPT) {
            throw new UnsupportedOperationException("SO_PEERPIDFD " + core.type() + ": it needs Linux 6.5 or later");
        }
        // Older kernels return EINVAL instead of ESRCH.
        return errno == -Errno.ESRCH || errno == -Errno.EINVAL
                ? newException(core, "SO_PEERPIDFD", Errno.ESRCH,
                        "the peer's process has ended, and only Linux 6.16 and later still has a descriptor of it")
                : newException(core, "SO_PEERPIDFD", errno, null);
    }

    /** See {@link UnixPeer#peerSecurityLabel()}. */
    public static String securityLabel(ChannelCore core) throws IOException {
        byte[] label = new byte[LONGEST_LABEL];
        int result = core.socket().peerLabel(label);
        if (result == -Errno.ENOPROTOOPT) {
            int peer = peerIds(core, new int[3]);
            if (peer == -Errno.ENOTCONN) {
                result = peer;
            } else {
                throw new UnsupportedOperationException("SO_PEERSEC " + core.type()
                        + ": it needs Linux 2.6.2 or later and a security module that labels sockets");
            }
        }
        if (result < 0) {
            throw newException(core, "SO_PEERSEC", result, null);
        }
        return new String(label, 0, result, StandardCharsets.UTF_8);
    }

    private static List<Integer> groups(ChannelCore core) throws IOException {
        int[] groups = new int[SOME_GROUPS];
        int count = core.socket().peerGroups(groups);
        if (count == -Errno.ERANGE) {
            groups = new int[ALL_GROUPS];
            count = core.socket().peerGroups(groups);
        }
        // An old kernel does not know the option. Any other failure, for example because the channel was closed
        // meanwhile, must not look like a process without groups.
        if (count < 0 && count != -Errno.ENOPROTOOPT) {
            throw newException(core, "SO_PEERGROUPS", count, null);
        }
        return Arrays.stream(groups, 0, Math.max(count, 0)).boxed().collect(Collectors.toUnmodifiableList());
    }

    private static IOException newException(ChannelCore core, String option, int errno, String hint) {
        return SocketErrors.newException(new ErrorDetails(Operation.GETSOCKOPT, option, core.type(),
                core.endpointAddress(), errno, hint));
    }
}
