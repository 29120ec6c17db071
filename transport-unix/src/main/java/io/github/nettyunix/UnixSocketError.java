package io.github.nettyunix;

import java.net.SocketAddress;

/**
 * The details that this transport's exceptions report besides their message. The exceptions have the types that code
 * written for Netty catches ({@link java.net.ConnectException}, {@link java.io.FileNotFoundException} for a missing
 * path on connect, {@link java.net.BindException}, {@link java.io.IOException},
 * {@link io.netty.channel.ChannelException}), and also implement this interface:
 * <pre>{@code
 * if (cause instanceof UnixSocketError e && e.error() == UnixErrno.EACCES) { ... }
 * }</pre>
 *
 * <p>Tests of handlers may implement this interface. Methods that are added in later versions will have a default.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/errno.3.html">errno(3)</a>
 */
public interface UnixSocketError {
    /**
     * Returns the operation that failed. It is usually the name of the system call: {@code bind}, {@code connect},
     * {@code write}.
     *
     * @return the operation
     */
    String operation();

    /**
     * Returns the type of the socket.
     *
     * @return the type; {@code null} if there was no socket, or its type is unknown
     */
    SocketType socketType();

    /**
     * Returns the address that the operation referred to.
     *
     * @return the address; {@code null} if it referred to none
     */
    SocketAddress address();

    /**
     * Returns the platform's error number.
     *
     * @return the positive errno
     */
    int errno();

    /**
     * Returns the symbolic name of the error, which is the same on all platforms.
     *
     * @return for example {@code "ECONNREFUSED"}; {@code "errno 4711"} if the number has no name
     */
    String errnoName();

    /**
     * Returns the error as a constant.
     *
     * @return the constant that has the name {@link #errnoName()}; {@link UnixErrno#OTHER} if there is none
     */
    default UnixErrno error() {
        return UnixErrno.of(errnoName());
    }
}
