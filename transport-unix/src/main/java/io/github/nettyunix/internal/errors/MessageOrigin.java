package io.github.nettyunix.internal.errors;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixSocketAddress;

import java.io.Serializable;

/**
 * The sender of a lost message, as far as it is known. Its text continues the message of an exception.
 *
 * @param sender the address that the message was sent from; {@code null} if it has none
 * @param hasCredentials whether the kernel has reported the sender's credentials
 * @param pid the sender's process, if there are credentials
 * @param uid the sender's user, if there are credentials
 * @param gid the sender's group, if there are credentials
 */
public record MessageOrigin(UnixSocketAddress sender, boolean hasCredentials, int pid, int uid, int gid)
        implements Serializable {
    public static MessageOrigin of(UnixSocketAddress sender, UnixCredentials credentials) {
        return credentials == null ? new MessageOrigin(sender, false, 0, 0, 0)
                : new MessageOrigin(sender, true, credentials.pid(), credentials.uid(), credentials.gid());
    }

    public UnixCredentials credentials() {
        return hasCredentials ? new UnixCredentials(pid, uid, gid) : null;
    }

    @Override
    public String toString() {
        boolean named = sender != null && !sender.isUnnamed();
        return !named && !hasCredentials ? "" : "; its sender is " + (named ? sender : "")
                + (named && hasCredentials ? ", " : "") + (hasCredentials ? "pid " + pid + ", uid " + uid : "");
    }
}
