package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.netty.channel.Channel;

import java.net.SocketAddress;

/**
 * Thrown if a {@link PeerAuthorizationHandler} does not admit a peer or the sender of a datagram. The errno is EACCES.
 * The exception has no stack trace, which would always be the same and would account for most of the cost of a refusal.
 */
public final class PeerRefusedException extends RefusalException {
    private static final long serialVersionUID = 1;

    /** The credentials; {@code null} if the kernel does not report them. */
    private final transient UnixCredentials credentials;

    PeerRefusedException(Channel channel, String who, UnixCredentials credentials, Throwable cause) {
        super("authorize", message(typeOf(channel), channel.localAddress(), who), cause);
        this.credentials = credentials;
        setChannel(channel);
    }

    private static String message(SocketType socketType, SocketAddress address, String who) {
        return "authorize" + (socketType == null ? "" : " " + socketType) + (address == null ? "" : " " + address)
                + ": EACCES (Permission denied): " + who;
    }

    /**
     * Returns the credentials that did not pass.
     *
     * @return the credentials; {@code null} if they are unknown
     */
    public UnixCredentials credentials() {
        return credentials;
    }

    @Override
    public Throwable fillInStackTrace() {
        return this;
    }
}
