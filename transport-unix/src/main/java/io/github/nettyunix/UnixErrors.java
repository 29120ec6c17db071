package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.netty.channel.ChannelException;
import io.netty.channel.ConnectTimeoutException;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketAddress;
import java.nio.channels.NotYetConnectedException;

/** The one place where an errno becomes an exception. */
final class UnixErrors {

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

    /** Whose message was lost, as far as that is known; it continues the text of an error. */
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

    private interface Detailed extends UnixSocketError {
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

    /** Of what a socket was doing; the errno may be negative, as system calls answer it. */
    static IOException newException(String operation, SocketType type, SocketAddress address, int errno) {
        return newException(operation, type, address, errno, null);
    }

    /** With a hint at what to do about it. */
    static IOException newException(String operation, SocketType type, SocketAddress address, int errno, String hint) {
        Details details = new Details(operation, type, address, Math.abs(errno), hint);
        return switch (operation) {
            case "bind" -> new BindFailure(details);
            case "connect" -> details.errno() == Errno.ENOENT ? new NotFound(details) : new ConnectFailure(details);
            default -> details.errno() == Errno.ENOENT ? new NotFound(details) : new Failure(details);
        };
    }

    /** A datagram without a recipient, on a socket that is not connected. */
    static NotYetConnectedException newNotYetConnected(SocketAddress address) {
        return new NotConnected(new Details("write", SocketType.DATAGRAM, address, Errno.ENOTCONN,
                "the datagram names no recipient"));
    }

    /** The server's backlog stayed full. */
    static IOException newConnectTimeout(SocketType type, SocketAddress address, int millis) {
        return new ConnectTimeout(new Details("connect", type, address, Errno.ETIMEDOUT,
                "the server's backlog was full for " + millis + " ms"));
    }

    /** For callers that cannot throw checked exceptions: constructors and options. */
    static ChannelException newUnchecked(String operation, SocketType type, SocketAddress address, int errno, String hint) {
        return new UncheckedFailure(new Details(operation, type, address, Math.abs(errno), hint));
    }

    private static final class Failure extends IOException implements Detailed {
        private static final long serialVersionUID = 1;
        private final Details details;

        Failure(Details details) {
            super(details.message());
            this.details = details;
        }

        @Override
        public Details details() {
            return details;
        }
    }

    private static final class BindFailure extends BindException implements Detailed {
        private static final long serialVersionUID = 1;
        private final Details details;

        BindFailure(Details details) {
            super(details.message());
            this.details = details;
        }

        @Override
        public Details details() {
            return details;
        }
    }

    private static final class ConnectFailure extends ConnectException implements Detailed {
        private static final long serialVersionUID = 1;
        private final Details details;

        ConnectFailure(Details details) {
            super(details.message());
            this.details = details;
        }

        @Override
        public Details details() {
            return details;
        }
    }

    private static final class ConnectTimeout extends ConnectTimeoutException implements Detailed {
        private static final long serialVersionUID = 1;
        private final Details details;

        ConnectTimeout(Details details) {
            super(details.message());
            this.details = details;
        }

        @Override
        public Details details() {
            return details;
        }
    }

    private static final class NotConnected extends NotYetConnectedException implements Detailed {
        private static final long serialVersionUID = 1;
        private final Details details;

        NotConnected(Details details) {
            this.details = details;
        }

        @Override
        public String getMessage() {
            return details.message();
        }

        @Override
        public Details details() {
            return details;
        }
    }

    private static final class NotFound extends FileNotFoundException implements Detailed {
        private static final long serialVersionUID = 1;
        private final Details details;

        NotFound(Details details) {
            super(details.message());
            this.details = details;
        }

        @Override
        public Details details() {
            return details;
        }
    }

    private static final class UncheckedFailure extends ChannelException implements Detailed {
        private static final long serialVersionUID = 1;
        private final Details details;

        UncheckedFailure(Details details) {
            super(details.message());
            this.details = details;
        }

        @Override
        public Details details() {
            return details;
        }
    }
}
