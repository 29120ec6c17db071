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
 * Where to begin: whether the transport works here, event loops for it, and channels for sockets from elsewhere.
 * <pre>{@code
 * EventLoopGroup group = new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory());
 * }</pre>
 * Any other event loop on Netty's {@link EpollIoHandler} or {@link KQueueIoHandler} will do as well. All methods are
 * thread-safe.
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
     * Whether the transport works on this platform.
     *
     * @return true if it does
     */
    public static boolean isAvailable() {
        return UNAVAILABILITY_CAUSE == null;
    }

    /**
     * Why it does not work.
     *
     * @return what is missing and what to do about it; {@code null} if it works
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
     * Whether the platform has sockets of this type; macOS lacks {@link SocketType#SEQPACKET}.
     *
     * @param type the type
     * @return true if it has; false, too, if the transport is not available
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
     * A factory of what drives event loops here: epoll on Linux, kqueue on macOS and the BSDs.
     *
     * @return the factory
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static IoHandlerFactory newIoHandlerFactory() {
        ensureAvailability();
        return LINUX ? EpollIoHandler.newFactory() : KQueueIoHandler.newFactory();
    }

    /**
     * As {@link #newIoHandlerFactory}, for the lowest latency: the event loops look for something to do all the time
     * and never sleep, which saves the time that it takes to wake a thread, several microseconds a message. A loop on
     * which no more than four of this transport's channels are reading does not even ask whether there is something to
     * read, it reads; servers do not count. Each of the threads keeps a processor busy, also when there is nothing to
     * do, so have fewer threads than processors. TCP channels do not sleep either. Such loops are not suspended by a
     * group that scales itself, and their {@link io.netty.channel.IoEventLoop#isIoType isIoType} is false for Netty's
     * handlers.
     *
     * @return the factory
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static IoHandlerFactory newSpinningIoHandlerFactory() {
        ensureAvailability();
        return SpinningIoHandler.newFactory(LINUX ? EpollIoHandler::newFactory : KQueueIoHandler::newFactory);
    }

    /**
     * A channel for an AF_UNIX socket from elsewhere: inherited, received from another process, or made by other code.
     * Its class follows from the socket's type and whether it listens, its state and addresses are the socket's. The
     * socket is made non-blocking, for all processes that share it, and close-on-exec. A socket file stays when the
     * channel closes.
     *
     * @param fd the descriptor, which the channel owns from now on; 0 is moved to another number, and {@code /dev/null}
     *        takes its place, for children to inherit
     * @return the channel, to be registered by the caller
     * @throws io.netty.channel.ChannelException if it is not an open AF_UNIX socket; it stays the caller's then
     */
    public static Channel adopt(int fd) {
        ensureAvailability();
        return adopt(fd, describe(fd));
    }

    /**
     * As {@link #adopt(int)}; the descriptor is detached from its owner.
     *
     * @param fd the descriptor
     * @return the channel, to be registered by the caller
     * @throws io.netty.channel.ChannelException if it is not an open AF_UNIX socket; it stays its owner's then
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
     * Gives the socket of a channel away with nothing lost: to a child process, to another process as a descriptor of a
     * message, or to a channel on another kind of event loop. The counterpart of {@link #adopt(UnixFileDescriptor)}.
     *
     * <p>From now on the channel reads nothing more; auto-read is off, and {@code read()} does nothing. What it has
     * received from the kernel before, which may be many records, passes the pipeline as usual. Then the messages that
     * are flushed are written, also those that handlers write and flush in answer to what they were just passed. Then
     * the future completes with a descriptor, and after its listeners, which run on the channel's event loop, the
     * channel closes. The peer does not notice. A socket file stays.
     *
     * <p>What handlers hold belongs to them: a decoder that has the beginning of a message gives it to the handler
     * behind it when a listener of the future removes it from the pipeline. Messages that are written and not flushed
     * by then fail.
     *
     * <p>Cancelling the future, before it completes, leaves the channel as it was. As long as the peer does not read
     * what is flushed, the future does not complete: close the channel to give up. Thread-safe.
     *
     * @param channel one of this transport's; a server accepts no further connections, and the backlog is transferred
     *         with the socket
     * @return a future that completes with the descriptor, which is the caller's to release and close-on-exec; it fails
     *         with {@link java.nio.channels.ClosedChannelException} if the channel closes before, with
     *         {@link IllegalStateException} if it is being handed over already, and with {@link IOException} if this
     *         process may have no more descriptors, which leaves the channel as it was
     * @throws IllegalArgumentException if the channel is another transport's
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
