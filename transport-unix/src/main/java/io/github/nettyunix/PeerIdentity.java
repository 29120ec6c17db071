package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.UnixSocket;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Asks the kernel who is at the other end. */
final class PeerIdentity {
    private static final int SOME_GROUPS = 64;
    /** NGROUPS_MAX of Linux is 65536; this is the most that fits into what the kernel is asked with. */
    private static final int ALL_GROUPS = 16384;

    private PeerIdentity() {
    }

    /** See {@link UnixPeer#peerCredentials()}. */
    static UnixCredentials credentials(AbstractUnixChannel channel) throws IOException {
        int[] ids = new int[3];
        int result = channel.socket.peerCredentials(ids);
        // The kernel answers for a socket without a peer too, with no process and no user.
        if (result == 0 && ids[0] == 0 && ids[1] == -1) {
            result = -Errno.ENOTCONN;
        }
        if (result == -Errno.ENOPROTOOPT) {
            throw new UnsupportedOperationException("SO_PEERCRED " + channel.type + ": not on this platform");
        }
        if (result < 0) {
            throw channel.newException("getsockopt SO_PEERCRED", result, null);
        }
        return new UnixCredentials(ids[0], ids[1], ids[2], groups(channel.socket));
    }

    private static List<Integer> groups(UnixSocket socket) {
        int[] groups = new int[SOME_GROUPS];
        int count = socket.peerGroups(groups);
        if (count == -Errno.ERANGE) {
            groups = new int[ALL_GROUPS];
            count = socket.peerGroups(groups);
        }
        // An old kernel does not know the option.
        return Arrays.stream(groups, 0, Math.max(count, 0)).boxed().collect(Collectors.toUnmodifiableList());
    }
}
