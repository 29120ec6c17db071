package io.github.nettyunix.internal.errors;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.unix.DomainSocketAddress;

import java.io.Serializable;
import java.net.SocketAddress;

/**
 * The details that the exceptions of this transport report.
 *
 * @param operation what failed
 * @param object what the operation was applied to if that is no address, such as an option; {@code null} if nothing is
 * @param socketType the type of the socket; {@code null} if there is none
 * @param address the address that the operation referred to; {@code null} if there is none
 * @param errno the platform's error number; system calls return it negated
 * @param hint what to do about it, or {@code null}
 */
public record ErrorDetails(Operation operation, String object, SocketType socketType, SocketAddress address, int errno,
        String hint) implements Serializable {
    public ErrorDetails {
        errno = Math.abs(errno);
    }

    public ErrorDetails(Operation operation, SocketType socketType, SocketAddress address, int errno, String hint) {
        this(operation, null, socketType, address, errno, hint);
    }

    /** Returns the operation and its object: {@code getsockopt SO_PEERCRED}. */
    public String operationText() {
        return object == null ? operation.toString() : operation + " " + object;
    }

    public String errnoName() {
        String name = Errno.name(errno);
        return name == null ? "errno " + errno : name;
    }

    /** As Go writes it: {@code bind seqpacket /run/app.sock: EACCES (Permission denied)}. */
    public String message() {
        StringBuilder text = new StringBuilder(operationText());
        if (socketType != null) {
            text.append(' ').append(socketType);
        }
        if (address != null && !(address instanceof DomainSocketAddress domain && domain.path().isEmpty())) {
            text.append(' ').append(address);
        }
        text.append(": ").append(errnoName()).append(" (").append(Errno.message(errno)).append(')');
        return hint == null ? text.toString() : text.append(": ").append(hint).toString();
    }
}
