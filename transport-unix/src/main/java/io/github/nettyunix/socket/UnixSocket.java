package io.github.nettyunix.socket;

import io.netty.channel.unix.Errors;
import io.netty.channel.unix.Socket;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * A non-blocking AF_UNIX socket. It adds to Netty's {@link Socket}, which keeps the open and shutdown state and the plain
 * options, what that lacks: SOCK_SEQPACKET, byte-exact names, close-on-exec, peer identity. See unix(7).
 *
 * <p>Methods answer a negative errno on failure and throw nothing: whoever calls them knows the operation and the address
 * that belong into the exception. A type is the ordinal of a {@code SocketType}. A name is what {@code sun_path} holds: a
 * path, or NUL and an abstract name, or nothing.
 *
 * <p>The event loop sends, receives and closes. Options and the peer's identity may be read and set by other threads meanwhile; those
 * methods are uses as {@link UseCount} counts them.
 */
public final class UnixSocket extends Socket {
    /** Options that are on or off, for {@link #setOption} and {@link #getOption}. */
    public static final int PASSCRED = 0;
    public static final int PASSPIDFD = 1;
    public static final int PASSSEC = 2;
    public static final int PASSRIGHTS = 3;

    /** The most bytes that a path can have; an abstract name, with its NUL, can have one more. */
    public static final int MAX_NAME = Platform.maxPath();
    /** The most descriptors that one message can carry; SCM_MAX_FD of Linux. */
    public static final int MAX_FDS = 253;
    /** How long a sent descriptor has to stay open for the receiver's sake; 0 if no longer than until it was sent. */
    public static final int KEEP_SENT_MILLIS = Platform.keepSentMillis();

    private static final UseCount<UnixSocket> USES =
            new UseCount<>(AtomicIntegerFieldUpdater.newUpdater(UnixSocket.class, "uses"));

    private volatile int uses;

    public UnixSocket(int fd) {
        super(fd);
    }

    /**
     * Keeps the number this socket's until {@link #endUse}, even if it is closed meanwhile. For system calls that cannot block, by
     * threads other than the event loop.
     *
     * @return false if it is closed; then there is nothing to end
     */
    public boolean beginUse() {
        return USES.begin(this);
    }

    /** Ends a use; the number is closed here if the socket was closed meanwhile. */
    public void endUse() {
        if (USES.end(this)) {
            FileDescriptors.close(intValue());
        }
    }

    @Override
    public boolean isOpen() {
        return USES.isOpen(this);
    }

    @Override
    public void close() throws IOException {
        if (USES.close(this)) {
            markClosed();
            if (USES.end(this)) {
                int result = FileDescriptors.close(intValue());
                if (result < 0) {
                    throw Errors.newIOException("close", result);
                }
            }
        }
    }

    /** A new socket's descriptor. */
    public static native int newSocket(int type);

    /** Two sockets that are connected to each other. */
    public static native int newSocketPair(int type, int[] pair);

    /** Makes a descriptor from elsewhere like one of ours: O_NONBLOCK and FD_CLOEXEC. */
    public static native int makeNonBlocking(int fd);

    /** The type of the socket, plus 4 if it listens; -EAFNOSUPPORT if it is of another family. */
    public static native int describe(int fd);

    public int bind(byte[] name) {
        return bind(fd(), name);
    }

    public int connect(byte[] name) {
        return connect(fd(), name);
    }

    public int dissolve() {
        return disconnect(fd());
    }

    public int startListening(int backlog) {
        return listen(fd(), backlog);
    }

    /** The descriptor of a new connection; {@code peerName[0]} becomes the length of the peer's name, which follows it. */
    public int acceptConnection(byte[] peerName) {
        return accept(fd(), peerName);
    }

    /** The name the socket is bound to; empty if none, {@code null} if it cannot be told. */
    public byte[] localName() {
        return localName(fd());
    }

    /** The name the peer is bound to; empty if none, {@code null} if there is no peer. */
    public byte[] peerName() {
        return peerName(fd());
    }

    /** The number of bytes read, 0 at the end of the stream. Descriptors that came with them are discarded by the kernel. */
    public int receive(long address, int length) {
        return receive(fd(), address, length);
    }

    /** The number of bytes written. */
    public int sendBytes(long address, int length) {
        return sendBytes(fd(), address, length);
    }

    /** The number of bytes written, of an array of {@code count} iovec. */
    public long send(long vectors, int count) {
        return send(fd(), vectors, count);
    }

    /**
     * What the next read would find: positive something, 0 the end of the stream, -EAGAIN nothing yet.
     *
     * @param marked whether records are marked, see {@link #markRecords}
     */
    public int peek(boolean marked) {
        return peek(fd(), marked);
    }

    /** Whether whatever a connected datagram socket receives from now on is its peer's; false where that is not known. */
    public boolean onlyPeerSends() {
        return onlyPeerSends(fd());
    }

    /**
     * Makes the kernel mark every record, so that {@link ReceiveBatch} and {@link #peek} tell an empty one from the end of
     * the stream.
     *
     * @param timestamp with a timestamp, which works with a control buffer too but costs more
     */
    public int markRecords(boolean timestamp, boolean on) {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return markRecords(intValue(), timestamp, on);
        } finally {
            endUse();
        }
    }

    public int setOption(int option, boolean on) {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return setOption(intValue(), option, on);
        } finally {
            endUse();
        }
    }

    /** 1 if it is on, 0 if not. */
    public int getOption(int option) {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return getOption(intValue(), option);
        } finally {
            endUse();
        }
    }

    @Override
    public int getIntOpt(int level, int option) throws IOException {
        beginUseOrThrow();
        try {
            return super.getIntOpt(level, option);
        } finally {
            endUse();
        }
    }

    @Override
    public void setIntOpt(int level, int option, int value) throws IOException {
        beginUseOrThrow();
        try {
            super.setIntOpt(level, option, value);
        } finally {
            endUse();
        }
    }

    @Override
    public void getRawOpt(int level, int option, ByteBuffer out) throws IOException {
        beginUseOrThrow();
        try {
            super.getRawOpt(level, option, out);
        } finally {
            endUse();
        }
    }

    @Override
    public void setRawOpt(int level, int option, ByteBuffer in) throws IOException {
        beginUseOrThrow();
        try {
            super.setRawOpt(level, option, in);
        } finally {
            endUse();
        }
    }

    /** SO_SNDBUF or SO_RCVBUF; Netty's methods, which are final, may find a number that is no longer ours. */
    public int bufferSize(boolean send) throws IOException {
        beginUseOrThrow();
        try {
            return send ? getSendBufferSize() : getReceiveBufferSize();
        } finally {
            endUse();
        }
    }

    public void setBufferSize(boolean send, int bytes) throws IOException {
        beginUseOrThrow();
        try {
            if (send) {
                setSendBufferSize(bytes);
            } else {
                setReceiveBufferSize(bytes);
            }
        } finally {
            endUse();
        }
    }

    private void beginUseOrThrow() throws IOException {
        if (!beginUse()) {
            throw new ClosedChannelException();
        }
    }

    /** Fills in pid, uid and gid. */
    public int peerCredentials(int[] credentials) {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return peerCredentials(intValue(), credentials);
        } finally {
            endUse();
        }
    }

    /** The number of supplementary groups; -ERANGE if the array is too small for them. */
    public int peerGroups(int[] groups) {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return peerGroups(intValue(), groups);
        } finally {
            endUse();
        }
    }

    /** A descriptor of the peer's process, which the caller owns. */
    public int peerPidFd() {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return peerPidFd(intValue());
        } finally {
            endUse();
        }
    }

    /** The length of the peer's security label; -ERANGE if the array is too small for it. */
    public int peerLabel(byte[] label) {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return peerLabel(intValue(), label);
        } finally {
            endUse();
        }
    }

    private int fd() {
        // Only the event loop closes, but it may come here after it has.
        return isOpen() ? intValue() : -1;
    }

    private static native int bind(int fd, byte[] name);

    private static native int connect(int fd, byte[] name);

    private static native int disconnect(int fd);

    private static native int listen(int fd, int backlog);

    private static native int accept(int fd, byte[] peerName);

    private static native byte[] localName(int fd);

    private static native byte[] peerName(int fd);

    private static native int receive(int fd, long address, int length);

    private static native int sendBytes(int fd, long address, int length);

    private static native long send(int fd, long vectors, int count);

    private static native int peek(int fd, boolean marked);

    private static native boolean onlyPeerSends(int fd);

    private static native int markRecords(int fd, boolean timestamp, boolean on);

    private static native int setOption(int fd, int option, boolean on);

    private static native int getOption(int fd, int option);

    private static native int peerCredentials(int fd, int[] credentials);

    private static native int peerGroups(int fd, int[] groups);

    private static native int peerPidFd(int fd);

    private static native int peerLabel(int fd, byte[] label);
}
