package io.github.nettyunix.internal.socket;

import io.netty.channel.unix.Errors;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.function.IntUnaryOperator;

/**
 * A non-blocking AF_UNIX socket, and which of its directions this process has shut down. See unix(7). Netty's
 * {@code Socket} is not extended because its constructor asks the kernel for the socket's family, which costs a system
 * call and can fail.
 *
 * <p>Methods return a negative errno on failure and throw nothing: the caller knows the operation and the address that
 * belong in the exception. A type is the ordinal of a {@code SocketType}. A name is what {@code sun_path} holds: a
 * path, or NUL and an abstract name, or nothing.
 *
 * <p>The event loop sends, receives and closes. Options and the peer's identity may be read and set by other threads
 * meanwhile; those methods are uses as {@link UseCount} counts them.
 */
public final class UnixSocket extends CountedDescriptor {
    /** Options for {@link #setOption} and {@link #getOption}; the first four are on (1) or off (0). */
    public static final int PASSCRED = 0;
    public static final int PASSPIDFD = 1;
    public static final int PASSSEC = 2;
    public static final int PASSRIGHTS = 3;
    public static final int SNDBUF = 4;
    public static final int RCVBUF = 5;

    /** The most bytes that a path can have; an abstract name, with its NUL, can have one more. */
    public static final int MAX_NAME = Platform.maxPath();
    /** The most descriptors that one message can carry; SCM_MAX_FD of Linux. */
    public static final int MAX_FDS = 253;
    /** How long a sent descriptor must stay open for the receiver; 0 if it may be closed once it has been sent. */
    public static final int KEEP_SENT_MILLIS = Platform.keepSentMillis();

    private static final UseCount<UnixSocket> USES =
            new UseCount<>(AtomicIntegerFieldUpdater.newUpdater(UnixSocket.class, "uses"));

    private volatile int uses;
    private volatile boolean inputShutdown;
    private volatile boolean outputShutdown;

    public UnixSocket(int fd) {
        super(fd);
    }

    @Override
    public boolean beginUse() {
        return USES.begin(this);
    }

    @Override
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
        if (USES.close(this) == 0) {
            int result = FileDescriptors.close(intValue());
            if (result < 0) {
                throw Errors.newIOException("close", result);
            }
        }
    }

    /** Closes a socket that has carried no data, so that a failure of close(2) loses nothing. */
    public void closeQuietly() {
        try {
            close();
        } catch (IOException ignored) {
            // The number is free all the same.
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

    public int disconnect() {
        return disconnect(fd());
    }

    public int startListening(int backlog) {
        return listen(fd(), backlog);
    }

    /**
     * The descriptor of a new connection; {@code peerName[0]} becomes the length of the peer's name, which follows it.
     */
    public int acceptConnection(byte[] peerName) {
        return accept(fd(), peerName);
    }

    /**
     * The length of the name that the socket is bound to, 0 if none. The array receives it and is one byte longer than
     * MAX_NAME.
     */
    public int localName(byte[] name) {
        return localName(fd(), name);
    }

    /** The length of the name that the peer is bound to, 0 if none; -ENOTCONN if there is no peer. */
    public int peerName(byte[] name) {
        return peerName(fd(), name);
    }

    /**
     * The number of bytes read, 0 at the end of the stream. Descriptors that came with them are discarded by the
     * kernel.
     */
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
     * Returns what the next read would find: a positive number for data, 0 for the end of the stream, -EAGAIN for
     * nothing yet.
     *
     * @param marked whether records are marked, see {@link #markRecords}
     */
    public int peek(boolean marked) {
        return peek(fd(), marked);
    }

    /**
     * Makes the kernel mark every record, so that {@link ReceiveBatch} and {@link #peek} tell an empty one from the end
     * of the stream.
     *
     * @param timestamp with a timestamp, which works with a control buffer too but costs more
     */
    public int markRecords(boolean timestamp, boolean on) {
        return use(fd -> markRecords(fd, timestamp, on));
    }

    /** Shuts down those of the directions that are not shut down yet. To be called on the event loop. */
    public int shutDown(boolean input, boolean output) {
        if (!isOpen()) {
            return -Errno.EBADF;
        }
        boolean endInput = input && !inputShutdown;
        boolean endOutput = output && !outputShutdown;
        inputShutdown |= endInput;
        outputShutdown |= endOutput;
        return endInput || endOutput ? shutdown(intValue(), endInput, endOutput) : 0;
    }

    /** Whether this process has shut down the input, or closed the socket. */
    public boolean isInputShutdown() {
        return inputShutdown || !isOpen();
    }

    /** Whether this process has shut down the output, or closed the socket. */
    public boolean isOutputShutdown() {
        return outputShutdown || !isOpen();
    }

    /** Whether both directions have ended, from either side; on a connection, the peer is gone. */
    public boolean isHungUp() {
        return isHungUp(fd());
    }

    /** Sets an option of those named here. */
    public int setOption(int option, int value) {
        return use(fd -> setOption(fd, option, value));
    }

    /** Turns an option on or off. */
    public int setOption(int option, boolean on) {
        return setOption(option, on ? 1 : 0);
    }

    /** The value of an option of those named here. */
    public int getOption(int option) {
        return use(fd -> getOption(fd, option));
    }

    /** Sets any option, by its numbers. */
    public int setOption(int level, int name, byte[] value) {
        return use(fd -> setOptionBytes(fd, level, name, value));
    }

    /** The length of the value of any option, at most that of the array that receives it. */
    public int getOption(int level, int name, byte[] value) {
        return use(fd -> getOptionBytes(fd, level, name, value));
    }

    /** Fills in pid, uid and gid. */
    public int peerCredentials(int[] credentials) {
        return use(fd -> peerCredentials(fd, credentials));
    }

    /** The number of supplementary groups; -ERANGE if the array is too small for them. */
    public int peerGroups(int[] groups) {
        return use(fd -> peerGroups(fd, groups));
    }

    /** A descriptor of the peer's process, which the caller owns. */
    public int peerPidFd() {
        return use(UnixSocket::peerPidFd);
    }

    /** The length of the peer's security label; -ERANGE if the array is too small for it. */
    public int peerLabel(byte[] label) {
        return use(fd -> peerLabel(fd, label));
    }

    /** A system call that cannot block, on any thread. */
    private int use(IntUnaryOperator call) {
        if (!beginUse()) {
            return -Errno.EBADF;
        }
        try {
            return call.applyAsInt(intValue());
        } finally {
            endUse();
        }
    }

    private int fd() {
        // Only the event loop closes the socket, but it may still call methods afterwards.
        return isOpen() ? intValue() : -1;
    }

    private static native int bind(int fd, byte[] name);

    private static native int connect(int fd, byte[] name);

    private static native int disconnect(int fd);

    private static native int listen(int fd, int backlog);

    private static native int accept(int fd, byte[] peerName);

    private static native int localName(int fd, byte[] name);

    private static native int peerName(int fd, byte[] name);

    private static native int receive(int fd, long address, int length);

    private static native int sendBytes(int fd, long address, int length);

    private static native long send(int fd, long vectors, int count);

    private static native int peek(int fd, boolean marked);

    private static native int markRecords(int fd, boolean timestamp, boolean on);

    private static native int shutdown(int fd, boolean input, boolean output);

    private static native boolean isHungUp(int fd);

    private static native int setOption(int fd, int option, int value);

    private static native int getOption(int fd, int option);

    private static native int setOptionBytes(int fd, int level, int name, byte[] value);

    private static native int getOptionBytes(int fd, int level, int name, byte[] value);

    private static native int peerCredentials(int fd, int[] credentials);

    private static native int peerGroups(int fd, int[] groups);

    private static native int peerPidFd(int fd);

    private static native int peerLabel(int fd, byte[] label);
}
