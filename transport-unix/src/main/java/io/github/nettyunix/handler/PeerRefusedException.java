package io.github.nettyunix.handler;

import io.github.nettyunix.UnixCredentials;

import java.io.IOException;

/**
 * A peer, or the sender of a datagram, is not one that a {@link PeerAuthorizationHandler} lets in.
 */
public final class PeerRefusedException extends IOException {
    private static final long serialVersionUID = 1;

    /** Who it is, {@code null} if the kernel does not tell. */
    private final transient UnixCredentials credentials;

    PeerRefusedException(String message, UnixCredentials credentials, Throwable cause) {
        super(message, cause);
        this.credentials = credentials;
    }

    /**
     * Who was refused.
     *
     * @return the credentials; {@code null} if they are not known
     */
    public UnixCredentials credentials() {
        return credentials;
    }
}
