package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.netty.channel.ChannelException;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandler;

import java.io.IOException;
import java.io.Serializable;
import java.net.SocketAddress;
import java.nio.channels.NotYetConnectedException;
import java.util.List;

/** The one place where an errno becomes an exception. */
final class UnixErrors {
    private static final List<String> IO_HANDLERS = List.of("io.netty.channel.nio.NioIoHandler",
            "io.netty.channel.uring.IoUringIoHandler", "io.netty.channel.local.LocalIoHandler");

    /**
     * What every exception made here reports.
     *
     * @param operation the failed operation, such as {@code bind}
     * @param socketType the type of the socket; {@code null} if there is none
     * @param address the address that the operation was about; {@code null} if there is none
     * @param errno the platform's error number
     * @param hint what to do about it, or {@code null}
     */
    record Details(String operation, SocketType socketType, SocketAddress address, int errno, String hint)
            implements Serializable {
        String errnoName() {
            String name = Errno.name(errno);
            return name == null ? "errno " + errno : name;
        }

        /** As Go writes it: {@code bind seqpacket /run/app.sock: EACCES (Permission denied)}. */
        String message() {
            StringBuilder text = new StringBuilder(operation);
            if (socketType != null) {
                text.append(' ').append(socketType);
            }
            if (address != null && !address.toString().isEmpty()) {
                text.append(' ').append(address);
            }
            text.append(": ").append(errnoName()).append(" (").append(Errno.message(errno)).append(')');
            return hint == null ? text.toString() : text.append(": ").append(hint).toString();
        }
    }

    /**
     * Whose message was lost, as far as that is known; it continues the text of an error.
     *
     * @param sender the address that the message was sent from; {@code null} if it has none
     * @param hasCredentials whether the kernel has told the sender's credentials
     * @param pid the sender's process, if there are credentials
     * @param uid the sender's user, if there are credentials
     * @param gid the sender's group, if there are credentials
     */
    record Origin(UnixSocketAddress sender, boolean hasCredentials, int pid, int uid, int gid) implements Serializable {
        static Origin of(UnixSocketAddress sender, UnixCredentials credentials) {
            return credentials == null ? new Origin(sender, false, 0, 0, 0)
                    : new Origin(sender, true, credentials.pid(), credentials.uid(), credentials.gid());
        }

        UnixCredentials credentials() {
            return hasCredentials ? new UnixCredentials(pid, uid, gid) : null;
        }

        @Override
        public String toString() {
            boolean named = sender != null && !sender.isUnnamed();
            return !named && !hasCredentials ? "" : "; its sender is " + (named ? sender : "")
                    + (named && hasCredentials ? ", " : "") + (hasCredentials ? "pid " + pid + ", uid " + uid : "");
        }
    }

    /** What the exceptions have in common. */
    interface Detailed extends UnixSocketError {
        Details details();

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

    private UnixErrors() {
    }

    /** Of what a socket was doing; the errno may be negative, as system calls return it. */
    static IOException newException(String operation, SocketType type, SocketAddress address, int errno) {
        return newException(operation, type, address, errno, null);
    }

    /** With a hint at what to do about it. */
    static IOException newException(String operation, SocketType type, SocketAddress address, int errno, String hint) {
        Details details = new Details(operation, type, address, Math.abs(errno), hint);
        return switch (operation) {
            case "bind" -> new UnixBindException(details);
            case "connect" -> details.errno() == Errno.ENOENT ? new UnixFileNotFoundException(details)
                    : new UnixConnectException(details);
            default -> details.errno() == Errno.ENOENT ? new UnixFileNotFoundException(details)
                    : new UnixIOException(details);
        };
    }

    /** A datagram without a recipient, on a socket that is not connected. */
    static NotYetConnectedException newNotYetConnected(SocketAddress address) {
        return newNotYetConnected("write", SocketType.DATAGRAM, address, "the datagram names no recipient");
    }

    /** ENOTCONN of an operation that needs a peer. */
    static NotYetConnectedException newNotYetConnected(String operation, SocketType type, SocketAddress address,
            String hint) {
        return new UnixNotYetConnectedException(new Details(operation, type, address, Errno.ENOTCONN, hint));
    }

    /** The server's backlog stayed full. */
    static IOException newConnectTimeout(SocketType type, SocketAddress address, int millis) {
        return new UnixConnectTimeoutException(new Details("connect", type, address, Errno.ETIMEDOUT,
                "the server's backlog was full for " + millis + " ms"));
    }

    /** An event loop on which no selector of this transport works. */
    static IllegalStateException newForeignLoop(SocketType type, EventLoop loop) {
        return new IllegalStateException("register " + type + ": the event loop is driven by " + driver(loop)
                + ", AF_UNIX channels need epoll or kqueue:"
                + " new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory()) makes a group that fits");
    }

    /** The class that drives an event loop. A loop does not name it, so those that Netty has are tried. */
    private static String driver(EventLoop loop) {
        if (loop instanceof IoEventLoop ioLoop) {
            for (String name : IO_HANDLERS) {
                try {
                    Class<?> handler = Class.forName(name, false, UnixErrors.class.getClassLoader());
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

    /** For callers that cannot throw checked exceptions: constructors and options. */
    static ChannelException newUnchecked(String operation, SocketType type, SocketAddress address, int errno,
            String hint) {
        return new UnixChannelException(new Details(operation, type, address, Math.abs(errno), hint));
    }
}
