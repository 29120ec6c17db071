package io.github.nettyunix;

import java.net.SocketAddress;

/**
 * What this transport's exceptions report besides their message. They are of the types that code written for Netty
 * catches ({@link java.net.ConnectException}, {@link java.io.FileNotFoundException} for a missing path on connect,
 * {@link java.net.BindException}, {@link java.io.IOException}, {@link io.netty.channel.ChannelException}), and
 * implement this interface as well:
 * <pre>{@code
 * if (cause instanceof UnixSocketError e && e.errnoName().equals("EACCES")) { ... }
 * }</pre>
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/errno.3.html">errno(3)</a>
 */
public interface UnixSocketError {
    /**
     * What failed, mostly the name of the system call: {@code bind}, {@code connect}, {@code write}.
     *
     * @return the operation
     */
    String operation();

    /**
     * The type of the socket.
     *
     * @return the type; {@code null} if there was no socket, or none of a known type
     */
    SocketType socketType();

    /**
     * The address that the operation was about.
     *
     * @return the address; {@code null} if it was about none
     */
    SocketAddress address();

    /**
     * The platform's number of the error.
     *
     * @return the positive errno
     */
    int errno();

    /**
     * The symbolic name of the error, which is the same on all platforms.
     *
     * @return for example {@code "ECONNREFUSED"}
     */
    String errnoName();
}
