package io.github.nettyunix.internal.errors;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketError;

import java.net.SocketAddress;

/** An exception that reports {@link ErrorDetails}. */
public interface HasDetails extends UnixSocketError {
    ErrorDetails details();

    @Override
    default String operation() {
        return details().operationText();
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
