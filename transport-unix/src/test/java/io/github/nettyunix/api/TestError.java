package io.github.nettyunix.api;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketError;

import java.io.IOException;
import java.net.SocketAddress;

/** An error as the tests of an application make one. It implements today's methods; all others need a default. */
final class TestError extends IOException implements UnixSocketError {
    private static final long serialVersionUID = 1;

    private final int errno;
    private final String errnoName;

    TestError(int errno, String errnoName) {
        this.errno = errno;
        this.errnoName = errnoName;
    }

    @Override
    public String operation() {
        return "write";
    }

    @Override
    public SocketType socketType() {
        return SocketType.DATAGRAM;
    }

    @Override
    public SocketAddress address() {
        return null;
    }

    @Override
    public int errno() {
        return errno;
    }

    @Override
    public String errnoName() {
        return errnoName;
    }
}
