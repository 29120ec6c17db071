package io.github.nettyunix.internal.errors;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.ChannelException;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandler;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.NotYetConnectedException;
import java.util.List;

/** Turns an errno into an exception. No other class does. */
public final class SocketErrors {
    private static final List<String> IO_HANDLERS = List.of("io.netty.channel.nio.NioIoHandler",
            "io.netty.channel.local.LocalIoHandler");

    private SocketErrors() {
    }

    /** Creates the exception for an operation of a socket. */
    public static IOException newException(Operation operation, SocketType type, SocketAddress address, int errno) {
        return newException(operation, type, address, errno, null);
    }

    /** Creates the exception with a hint at how to fix it. */
    public static IOException newException(Operation operation, SocketType type, SocketAddress address, int errno,
            String hint) {
        return newException(new ErrorDetails(operation, type, address, errno, hint));
    }

    /** Creates the exception for an operation without a socket, such as one of a file. */
    public static IOException newException(Operation operation, String object, int errno, String hint) {
        return newException(new ErrorDetails(operation, object, null, null, errno, hint));
    }

    /** Creates the exception of the class that the operation and the errno call for. */
    public static IOException newException(ErrorDetails details) {
        if (details.operation() == Operation.BIND) {
            return new UnixBindException(details);
        }
        if (details.errno() == Errno.ENOENT) {
            return new UnixFileNotFoundException(details);
        }
        return details.operation() == Operation.CONNECT ? new UnixConnectException(details)
                : new UnixIOException(details);
    }

    /** Creates the exception for a datagram without a recipient, on a socket that is not connected. */
    public static NotYetConnectedException newNotYetConnected(SocketAddress address) {
        return newNotYetConnected(Operation.WRITE, SocketType.DATAGRAM, address, "the datagram names no recipient");
    }

    /** Creates the exception for ENOTCONN, if an operation needs a peer. */
    public static NotYetConnectedException newNotYetConnected(Operation operation, SocketType type,
            SocketAddress address, String hint) {
        return new UnixNotYetConnectedException(new ErrorDetails(operation, type, address, Errno.ENOTCONN, hint));
    }

    /** Creates the exception for a connect that has taken too long; {@code what} was so all the time. */
    public static IOException newConnectTimeout(SocketType type, SocketAddress address, String what, int millis) {
        return new UnixConnectTimeoutException(new ErrorDetails(Operation.CONNECT, type, address, Errno.ETIMEDOUT,
                what + " for " + millis + " ms"));
    }

    /** Creates the exception for an event loop on which no selector of this transport works. */
    public static IllegalStateException newForeignLoop(SocketType type, EventLoop loop) {
        return newForeignLoop("register " + type, "AF_UNIX channels", loop);
    }

    /** The same for a descriptor that is no channel's. */
    public static IllegalStateException newForeignLoop(int fd, EventLoop loop) {
        return newForeignLoop("watch descriptor " + fd, "watches", loop);
    }

    private static IllegalStateException newForeignLoop(String action, String what, EventLoop loop) {
        return new IllegalStateException(action + ": the event loop is driven by " + driver(loop) + ", " + what
                + " need epoll, io_uring or kqueue:"
                + " new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory()) makes a group that fits");
    }

    /** Returns the class that drives an event loop. A loop does not name it, so Netty's are tried. */
    private static String driver(EventLoop loop) {
        if (loop instanceof IoEventLoop ioLoop) {
            for (String name : IO_HANDLERS) {
                try {
                    Class<?> handler = Class.forName(name, false, SocketErrors.class.getClassLoader());
                    if (ioLoop.isIoType(handler.asSubclass(IoHandler.class))) {
                        return name.substring(name.lastIndexOf('.') + 1);
                    }
                } catch (ClassNotFoundException | LinkageError | ClassCastException e) {
                    // It cannot be this one.
                }
            }
        }
        return loop.getClass().getName();
    }

    /** Creates the exception for callers that cannot throw checked exceptions: constructors and options. */
    public static ChannelException newChannelException(Operation operation, SocketType type, SocketAddress address,
            int errno, String hint) {
        return newChannelException(new ErrorDetails(operation, type, address, errno, hint));
    }

    /** The same, with an object such as the option. */
    public static ChannelException newChannelException(ErrorDetails details) {
        return new UnixChannelException(details);
    }
}
