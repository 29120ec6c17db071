package io.github.nettyunix.internal.endpoint;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.CString;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;

import java.util.Arrays;

/** An existing socket that becomes a channel's: its type, its state and its addresses. */
public final class AdoptedSocket {
    private final int given;
    private final SocketType type;
    private final boolean listening;
    private UnixSocketAddress local;
    private UnixSocketAddress peer;

    private AdoptedSocket(int given, SocketType type, boolean listening) {
        this.given = given;
        this.type = type;
        this.listening = listening;
    }

    /**
     * Inspects a descriptor.
     *
     * @throws io.netty.channel.ChannelException if it is not an open AF_UNIX socket
     */
    public static AdoptedSocket of(int fd) {
        NativeTransport.ensureAvailability();
        int found = UnixSocket.describe(fd);
        if (found == -Errno.EAFNOSUPPORT) {
            throw SocketErrors.newChannelException(Operation.ADOPT, null, null, found,
                    "descriptor " + fd + " is no AF_UNIX socket");
        }
        if (found < 0) {
            throw SocketErrors.newChannelException(Operation.ADOPT, null, null, found, "descriptor " + fd);
        }
        return new AdoptedSocket(fd, SocketType.values()[found & 3], (found & 4) != 0);
    }

    /**
     * Inspects a descriptor whose type the caller has chosen.
     *
     * @throws io.netty.channel.ChannelException if it is anything else
     */
    public static AdoptedSocket of(int fd, SocketType type, boolean listening) {
        AdoptedSocket found = of(fd);
        if (found.type != type || found.listening != listening) {
            throw SocketErrors.newChannelException(Operation.ADOPT, type, null, Errno.EPROTOTYPE,
                    "descriptor " + fd + " is a " + (found.listening ? "listening " : "") + found.type + " socket");
        }
        return found;
    }

    public SocketType type() {
        return type;
    }

    public boolean isListening() {
        return listening;
    }

    /** Whether the channel is active from the start; known after {@link #take}. */
    public boolean isActive() {
        return listening || type == SocketType.DATAGRAM || peer != null;
    }

    /** Returns the address that the socket is bound to; known after {@link #take}. */
    public UnixSocketAddress local() {
        return local;
    }

    /** Returns the peer's address; {@code null} if there is none, or before {@link #take}. */
    public UnixSocketAddress peer() {
        return peer;
    }

    /**
     * Makes the socket usable for a channel, and reads its addresses. If this fails, the socket remains the caller's.
     *
     * @return the socket, which has another number if it was given as descriptor 0
     */
    public UnixSocket take() {
        UnixSocket asGiven = new UnixSocket(given);
        byte[] name = new byte[UnixSocket.MAX_NAME + 1];
        local = nameOf(name, asGiven.localName(name));
        int length = listening ? -Errno.ENOTCONN : asGiven.peerName(name);
        // The BSDs return EINVAL for a connection that has ended.
        peer = length == -Errno.ENOTCONN || length == -Errno.EINVAL ? null : nameOf(name, length);
        int result = UnixSocket.makeNonBlocking(given);
        if (result < 0) {
            throw SocketErrors.newChannelException(Operation.ADOPT, type, null, result, "descriptor " + given);
        }
        // kqueue cannot watch descriptor 0, and standard input is better not closed.
        return given == 0 ? new UnixSocket(moveUp(given)) : asGiven;
    }

    private UnixSocketAddress nameOf(byte[] name, int length) {
        if (length < 0) {
            throw SocketErrors.newChannelException(Operation.ADOPT, type, null, length, "descriptor " + given);
        }
        return SocketName.toAddress(Arrays.copyOf(name, length));
    }

    private static int moveUp(int fd) {
        int nothing = FileDescriptors.open(CString.of("/dev/null"), FileDescriptors.READ_WRITE, 0);
        if (nothing < 0) {
            throw SocketErrors.newChannelException(Operation.ADOPT, null, null, nothing, "/dev/null");
        }
        int moved = FileDescriptors.duplicate(fd, 3);
        if (moved < 0) {
            FileDescriptors.close(nothing);
            throw SocketErrors.newChannelException(Operation.ADOPT, null, null, moved, "descriptor " + fd);
        }
        FileDescriptors.replace(nothing, fd);
        // Children inherit standard input.
        FileDescriptors.closeOnExec(fd, false);
        FileDescriptors.close(nothing);
        return moved;
    }
}
