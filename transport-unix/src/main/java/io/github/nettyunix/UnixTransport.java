package io.github.nettyunix;

import io.github.nettyunix.readiness.EpollReadiness;
import io.github.nettyunix.readiness.KQueueReadiness;
import io.github.nettyunix.readiness.Readiness;
import io.github.nettyunix.readiness.SpinningIoHandler;
import io.github.nettyunix.socket.CString;
import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.FileDescriptors;
import io.github.nettyunix.socket.NativeLibrary;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.util.concurrent.Future;
import io.netty.util.Version;
import io.netty.util.internal.PlatformDependent;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The entry point of the transport. It reports whether the transport works here, creates event loops, and turns
 * existing sockets into channels.
 * <pre>{@code
 * EventLoopGroup group = new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory());
 * }</pre>
 * The channels also run on any other event loop that uses Netty's {@link EpollIoHandler} or {@link KQueueIoHandler}.
 * All methods are thread-safe.
 */
public final class UnixTransport {
    private static final boolean LINUX = PlatformDependent.normalizedOs().equals("linux");

    /** Netty 4.1 lacks the first of these, 4.2.0 to 4.2.7 the second. */
    private static final List<String> NEEDED_CLASSES =
            List.of("io.netty.channel.IoHandlerFactory", "io.netty.util.internal.RefCnt");
    private static final String NEEDED_VERSION = "4.2.8.Final";

    private static final List<Readiness.Selector> SELECTORS = new ArrayList<>(2);
    private static final Throwable UNAVAILABILITY_CAUSE = load();

    private UnixTransport() {
    }

    private static Throwable load() {
        for (String name : NEEDED_CLASSES) {
            try {
                Class.forName(name, false, UnixTransport.class.getClassLoader());
            } catch (ClassNotFoundException | LinkageError e) {
                return new UnsatisfiedLinkError("Netty " + nettyVersion() + " is too old: netty-transport-unix needs "
                        + NEEDED_VERSION
                        + " or later").initCause(e);
            }
        }
        String selector = LINUX ? "epoll" : "kqueue";
        addSelector(() -> EpollReadiness.SELECTOR);
        addSelector(() -> KQueueReadiness.SELECTOR);
        try {
            Throwable cause = LINUX ? Epoll.unavailabilityCause() : KQueue.unavailabilityCause();
            return cause == null ? NativeLibrary.unavailabilityCause()
                    : NativeLibrary.explain(cause, "Netty's " + selector
                    + " library does not load; is netty-transport-native-" + selector + " on the class path?");
        } catch (NoClassDefFoundError e) {
            return new UnsatisfiedLinkError("netty-transport-classes-" + selector + " is not on the class path")
                    .initCause(e);
        }
    }

    private static String nettyVersion() {
        Version version = Version.identify(UnixTransport.class.getClassLoader()).get("netty-common");
        return version == null ? "on the class path" : version.artifactVersion();
    }

    private static void addSelector(Supplier<Readiness.Selector> selector) {
        try {
            SELECTORS.add(selector.get());
        } catch (LinkageError ignored) {
            // Without Netty's classes, or the native library that some of them need, there are no loops of this kind.
        }
    }

    /**
     * Returns whether the transport works on this platform.
     *
     * @return true if it does
     */
    public static boolean isAvailable() {
        return UNAVAILABILITY_CAUSE == null;
    }

    /**
     * Returns why the transport does not work.
     *
     * @return an exception that states what is missing and how to fix it; {@code null} if the transport works
     */
    public static Throwable unavailabilityCause() {
        return UNAVAILABILITY_CAUSE;
    }

    /**
     * Throws if the transport does not work on this platform.
     *
     * @throws UnsatisfiedLinkError with the cause
     */
    public static void ensureAvailability() {
        if (UNAVAILABILITY_CAUSE != null) {
            throw (Error) new UnsatisfiedLinkError("netty-transport-unix is not available: "
                    + UNAVAILABILITY_CAUSE.getMessage()).initCause(UNAVAILABILITY_CAUSE);
        }
    }

    /**
     * Returns whether the platform has sockets of this type. macOS lacks {@link SocketType#SEQPACKET}.
     *
     * @param type the type
     * @return true if it has; false also if the transport is not available
     */
    public static boolean supports(SocketType type) {
        return isAvailable() && Supported.TYPES.contains(type);
    }

    /** Asked of the kernel once. */
    private static final class Supported {
        static final List<SocketType> TYPES = List.of(SocketType.values()).stream().filter(Supported::works).toList();

        private static boolean works(SocketType type) {
            int fd = UnixSocket.newSocket(type.ordinal());
            if (fd < 0) {
                return fd == -Errno.EMFILE;
            }
            FileDescriptors.close(fd);
            return true;
        }
    }

    /**
     * Returns a factory of I/O handlers for event loops: epoll on Linux, kqueue on macOS and the BSDs.
     *
     * @return the factory
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static IoHandlerFactory newIoHandlerFactory() {
        ensureAvailability();
        return LINUX ? EpollIoHandler.newFactory() : KQueueIoHandler.newFactory();
    }

    /**
     * Returns a factory of I/O handlers for the lowest latency. Their event loops poll continuously and never sleep,
     * which saves the several microseconds per message that it takes to wake a thread. If no more than four of this
     * transport's channels on a loop are reading, the loop reads from them directly instead of calling epoll or kqueue;
     * servers do not count. Each thread keeps a processor busy even when there is nothing to do, so use fewer threads
     * than processors. TCP channels on such a loop do not sleep either. Groups that scale themselves do not suspend
     * these loops, and their {@link io.netty.channel.IoEventLoop#isIoType isIoType} returns false for Netty's handlers.
     *
     * @return the factory
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static IoHandlerFactory newSpinningIoHandlerFactory() {
        ensureAvailability();
        return SpinningIoHandler.newFactory(LINUX ? EpollIoHandler::newFactory : KQueueIoHandler::newFactory);
    }

    /**
     * Creates a channel for an existing AF_UNIX socket that was inherited, received from another process, or created by
     * other code. The type of the socket and whether it is listening determine the class of the channel. The channel
     * has the state and the addresses of the socket. The socket is made close-on-exec and non-blocking, the latter for
     * all processes that share it. Its socket file stays when the channel closes.
     *
     * @param fd the descriptor, which the channel owns from now on; descriptor 0 is moved to another number, and
     *        {@code /dev/null} takes its place, so that children inherit that
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is not an open AF_UNIX socket; the caller keeps its ownership
     *         then
     */
    public static Channel adopt(int fd) {
        ensureAvailability();
        return adopt(fd, describe(fd));
    }

    /**
     * Creates a channel as {@link #adopt(int)} does, and detaches the descriptor from its owner.
     *
     * @param fd the descriptor
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is not an open AF_UNIX socket; the owner does not change then
     */
    public static Channel adopt(UnixFileDescriptor fd) {
        ensureAvailability();
        if (!fd.beginUse()) {
            throw UnixErrors.newUnchecked("adopt", null, null, Errno.EBADF, "descriptor " + fd.intValue());
        }
        boolean detached = false;
        try {
            int number = fd.intValue();
            AbstractUnixChannel channel = adopt(number, describe(number));
            detached = fd.tryDetach();
            if (detached) {
                return channel;
            }
            // Another thread has closed it. The channel is forgotten; what it opened itself is not its owner's to
            // close.
            if (channel.socket.intValue() != number) {
                FileDescriptors.close(channel.socket.intValue());
            }
            throw UnixErrors.newUnchecked("adopt", null, null, Errno.EBADF, "descriptor " + number);
        } finally {
            if (!detached) {
                fd.endUse();
            }
        }
    }

    /**
     * Gives the socket of a channel away without losing data: to a child process, to another process as the descriptor
     * of a message, or to a channel on another kind of event loop. This is the counterpart of
     * {@link #adopt(UnixFileDescriptor)}.
     *
     * <p>The channel stops reading: auto-read is off, and {@code read()} has no effect. What it has already received
     * from the kernel, which may be many records, passes through the pipeline as usual. Then the flushed messages are
     * written, including those that handlers write and flush in reply to these records. Then the future completes with
     * a descriptor. After its listeners, which run on the channel's event loop, the channel closes. The peer does not
     * notice. A socket file stays in place.
     *
     * <p>Data held by handlers is not transferred: a decoder that holds the start of a message passes it to the next
     * handler when a listener of the future removes the decoder from the pipeline. Messages that have been written but
     * not flushed by then fail.
     *
     * <p>Cancelling the future before it completes leaves the channel as it was. If the peer does not read what was
     * flushed, the future does not complete; close the channel to give up. Thread-safe.
     *
     * @param channel a channel of this transport; a server stops accepting, and its backlog is transferred with the
     *        socket
     * @return a future that completes with the descriptor, which is close-on-exec and must be released by the caller;
     *         it fails with {@link java.nio.channels.ClosedChannelException} if the channel closes first, with
     *         {@link IllegalStateException} if it is already being handed over, and with {@link IOException} if the
     *         process has reached its limit of descriptors, which leaves the channel as it was
     * @throws IllegalArgumentException if the channel belongs to another transport
     */
    public static Future<UnixFileDescriptor> handOver(Channel channel) {
        if (channel instanceof AbstractUnixChannel unixChannel) {
            return HandOver.of(unixChannel);
        }
        throw new IllegalArgumentException("not a channel of this transport: " + channel);
    }

    /** One whose class the caller has chosen. */
    static Channel adopt(int fd, SocketType type, boolean listening) {
        ensureAvailability();
        Description found = describe(fd);
        if (found.type != type || found.listening != listening) {
            throw UnixErrors.newUnchecked("adopt", type, null, Errno.EPROTOTYPE, "descriptor " + fd + " is a "
                    + (found.listening ? "listening " : "") + found.type + " socket");
        }
        return adopt(fd, found);
    }

    private record Description(SocketType type, boolean listening) {
    }

    private static Description describe(int fd) {
        int found = UnixSocket.describe(fd);
        if (found == -Errno.EAFNOSUPPORT) {
            throw UnixErrors.newUnchecked("adopt", null, null, found, "descriptor " + fd + " is no AF_UNIX socket");
        }
        if (found < 0) {
            throw UnixErrors.newUnchecked("adopt", null, null, found, "descriptor " + fd);
        }
        return new Description(SocketType.values()[found & 3], (found & 4) != 0);
    }

    private static AbstractUnixChannel adopt(int given, Description found) {
        // Whatever can fail comes before the channel owns the socket.
        UnixSocket asGiven = new UnixSocket(given);
        byte[] name = new byte[UnixSocket.MAX_NAME + 1];
        UnixSocketAddress local = nameOf(given, found, name, asGiven.localName(name));
        int length = found.listening ? -Errno.ENOTCONN : asGiven.peerName(name);
        // EINVAL: the BSDs, of a connection that has ended.
        UnixSocketAddress peer = length == -Errno.ENOTCONN || length == -Errno.EINVAL ? null
                : nameOf(given, found, name, length);
        int result = UnixSocket.makeNonBlocking(given);
        if (result < 0) {
            throw UnixErrors.newUnchecked("adopt", found.type, null, result, "descriptor " + given);
        }
        // kqueue cannot watch descriptor 0, and standard input is better not closed.
        UnixSocket socket = given == 0 ? new UnixSocket(moveUp(given)) : asGiven;
        AbstractUnixChannel channel = found.listening
                ? found.type == SocketType.STREAM ? new UnixServerStreamChannel(socket)
                : new UnixServerSeqpacketChannel(socket)
                : switch (found.type) {
                    case STREAM -> new UnixStreamChannel(null, socket);
                    case SEQPACKET -> new UnixSeqpacketChannel(null, socket);
                    case DATAGRAM -> new UnixDatagramChannel(socket);
                };
        channel.config().controlData().adopt();
        if (found.listening || found.type == SocketType.DATAGRAM || peer != null) {
            channel.setActive(local, peer);
        }
        return channel;
    }

    private static UnixSocketAddress nameOf(int fd, Description found, byte[] name, int length) {
        if (length < 0) {
            throw UnixErrors.newUnchecked("adopt", found.type, null, length, "descriptor " + fd);
        }
        return UnixSocketAddress.ofName(Arrays.copyOf(name, length));
    }

    private static int moveUp(int fd) {
        int nothing = FileDescriptors.open(CString.of("/dev/null"), FileDescriptors.READ_WRITE, 0);
        if (nothing < 0) {
            throw UnixErrors.newUnchecked("adopt", null, null, nothing, "/dev/null");
        }
        int moved = FileDescriptors.duplicate(fd, 3);
        if (moved < 0) {
            FileDescriptors.close(nothing);
            throw UnixErrors.newUnchecked("adopt", null, null, moved, "descriptor " + fd);
        }
        FileDescriptors.replace(nothing, fd);
        // Children inherit standard input.
        FileDescriptors.closeOnExec(fd, false);
        FileDescriptors.close(nothing);
        return moved;
    }

    /** Two connected channels. */
    static <C extends AbstractUnixChannel> List<C> pair(SocketType type, Function<UnixSocket, C> newChannel) {
        ensureAvailability();
        int[] fds = new int[2];
        int result = UnixSocket.newSocketPair(type.ordinal(), fds);
        if (result < 0) {
            throw UnixErrors.newUnchecked("socketpair", type, null, result, null);
        }
        C one;
        C other;
        try {
            one = newChannel.apply(new UnixSocket(fds[0]));
            other = newChannel.apply(new UnixSocket(fds[1]));
        } catch (Throwable t) {
            FileDescriptors.close(fds[0]);
            FileDescriptors.close(fds[1]);
            throw t;
        }
        one.setActive(UnixSocketAddress.unnamed(), UnixSocketAddress.unnamed());
        other.setActive(UnixSocketAddress.unnamed(), UnixSocketAddress.unnamed());
        return List.of(one, other);
    }

    /** Returns the selector of this event loop; {@code null} if it is of another kind. */
    static Readiness.Selector selectorOf(EventLoop loop) {
        if (loop instanceof IoEventLoop ioEventLoop) {
            for (Readiness.Selector selector : SELECTORS) {
                if (selector.isCompatible(ioEventLoop)) {
                    return selector;
                }
            }
        }
        return null;
    }
}
