package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixSocketError;

import java.io.IOException;
import java.net.SocketAddress;

/**
 * Thrown if a {@link PeerAuthorizationHandler} does not admit a peer or the sender of a datagram. The errno is EACCES.
 * The exception has no stack trace, which would always be the same and would account for most of the cost of a refusal.
 */
public final class PeerRefusedException extends IOException implements UnixSocketError {
    private static final long serialVersionUID = 1;

    /** The same number on all platforms. */
    private static final int EACCES = 13;

    /** The type of the channel's socket; {@code null} if it is not known. */
    private final SocketType socketType;
    /** The peer's or the sender's address; {@code null} if it has none. */
    private final SocketAddress address;
    /** Returns the credentials; {@code null} if the kernel does not report them. */
    private final transient UnixCredentials credentials;

    PeerRefusedException(SocketType socketType, SocketAddress address, String who, UnixCredentials credentials,
            Throwable cause) {
        super("authorize" + (socketType == null ? "" : " " + socketType) + (address == null ? "" : " " + address)
                + ": EACCES (Permission denied): " + who, cause);
        this.socketType = socketType;
        this.address = address;
        this.credentials = credentials;
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
    public String operation() {
        return "authorize";
    }

    @Override
    public SocketType socketType() {
        return socketType;
    }

    /**
     * Returns the address of the channel that refused.
     *
     * @return the local address; {@code null} if the channel has none
     */
    @Override
    public SocketAddress address() {
        return address;
    }

    @Override
    public int errno() {
        return EACCES;
    }

    @Override
    public String errnoName() {
        return "EACCES";
    }

    @Override
    public Throwable fillInStackTrace() {
        return this;
    }
}
