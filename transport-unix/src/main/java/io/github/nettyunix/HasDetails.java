package io.github.nettyunix;

import java.net.SocketAddress;

/** An exception that reports {@link ErrorDetails}. */
interface HasDetails extends UnixSocketError {
    ErrorDetails details();

    @Override
    default String operation() {
        return details().operation();
    }

    @Override
    default SocketType socketType() {
        return details().socketType();
    }

    @Override
    default SocketAddress address() {
        return details().address();
    }

    @Override
    default int errno() {
        return details().errno();
    }

    @Override
    default String errnoName() {
        return details().errnoName();
    }
}
