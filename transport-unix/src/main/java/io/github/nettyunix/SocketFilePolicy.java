package io.github.nettyunix;

import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * What {@code bind} does with a file that is at the path already, which mode the socket file gets, and whether it goes with
 * the channel. Immutable. Nothing that is not a socket is ever replaced.
 * <pre>{@code
 * .option(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.replaceStale().withMode("rw-rw----"))
 * }</pre>
 *
 * @see UnixSocketOption#SOCKET_FILE
 */
public final class SocketFilePolicy {
    /** What to do with a socket that is there. */
    enum Existing { REPLACE_STALE, TAKE_OVER, FAIL }

    /** No mode was asked for. */
    static final int DEFAULT_MODE = -1;

    private static final SocketFilePolicy REPLACE_STALE = new SocketFilePolicy(Existing.REPLACE_STALE, DEFAULT_MODE, false);

    private final Existing existing;
    private final int mode;
    private final boolean keep;

    private SocketFilePolicy(Existing existing, int mode, boolean keep) {
        this.existing = existing;
        this.mode = mode;
        this.keep = keep;
    }

    /**
     * Replaces a socket file that no process holds any more, and refuses the path of one that is held. The default.
     *
     * @return the policy
     */
    public static SocketFilePolicy replaceStale() {
        return REPLACE_STALE;
    }

    /**
     * Removes whatever socket is at the path, also a live one, whose server then is out of reach without noticing.
     *
     * @return the policy
     */
    public static SocketFilePolicy takeOver() {
        return new SocketFilePolicy(Existing.TAKE_OVER, DEFAULT_MODE, false);
    }

    /**
     * Refuses a path where anything is.
     *
     * @return the policy
     */
    public static SocketFilePolicy failIfExists() {
        return new SocketFilePolicy(Existing.FAIL, DEFAULT_MODE, false);
    }

    /**
     * Gives the socket file exactly this mode, whatever the umask; there is no moment at which more is allowed. Whoever is
     * to connect needs the right to write. Without it the file gets 0777 less the umask.
     *
     * @param permissions as {@code ls} shows them: {@code "rw-rw----"}
     * @return the policy with a mode
     * @throws IllegalArgumentException if that is no mode
     */
    public SocketFilePolicy withMode(String permissions) {
        int bits = 0;
        for (PosixFilePermission permission : PosixFilePermissions.fromString(permissions)) {
            // The constants stand in the order of the bits, from 0400 to 0001.
            bits |= 0400 >> permission.ordinal();
        }
        return new SocketFilePolicy(existing, bits, keep);
    }

    /**
     * Leaves the file where it is when the channel is closed. Otherwise it is removed then, unless another has taken its place.
     *
     * @return the policy that keeps the file
     */
    public SocketFilePolicy keepOnClose() {
        return new SocketFilePolicy(existing, mode, true);
    }

    Existing existing() {
        return existing;
    }

    int mode() {
        return mode;
    }

    boolean keep() {
        return keep;
    }

    @Override
    public String toString() {
        return existing + (mode == DEFAULT_MODE ? "" : String.format(", mode %04o", mode)) + (keep ? ", keep" : "");
    }
}
