package io.github.nettyunix.internal;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.readiness.EpollReadiness;
import io.github.nettyunix.internal.readiness.IoUringReadiness;
import io.github.nettyunix.internal.readiness.KQueueReadiness;
import io.github.nettyunix.internal.readiness.Readiness;
import io.github.nettyunix.internal.readiness.SpinningIoHandler;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.NativeLibrary;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.util.Version;
import io.netty.util.internal.PlatformDependent;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** What the transport needs from the platform: Netty's selector, the C library, and sockets. */
public final class NativeTransport {
    /** Whether the library is on the module path, not on the class path. */
    private static final boolean IS_MODULE = NativeTransport.class.getModule().isNamed();
    private static final boolean LINUX = PlatformDependent.normalizedOs().equals("linux");

    /** Netty 4.1 lacks the first of these, 4.2.0 to 4.2.7 the second. */
    private static final List<String> NEEDED_CLASSES =
            List.of("io.netty.channel.IoHandlerFactory", "io.netty.util.internal.RefCnt");
    private static final String NEEDED_VERSION = "4.2.8.Final";

    private static final List<Readiness.Selector> SELECTORS = new ArrayList<>(3);
    private static final Throwable UNAVAILABILITY_CAUSE = load();

    private NativeTransport() {
    }

    private static Throwable load() {
        for (String name : NEEDED_CLASSES) {
            try {
                Class.forName(name, false, NativeTransport.class.getClassLoader());
            } catch (ClassNotFoundException | LinkageError e) {
                return new UnsatisfiedLinkError("Netty " + nettyVersion() + " is too old: netty-transport-unix needs "
                        + NEEDED_VERSION + " or later").initCause(e);
            }
        }
        String selector = LINUX ? "epoll" : "kqueue";
        addSelector(() -> EpollReadiness.SELECTOR);
        addSelector(() -> KQueueReadiness.SELECTOR);
        addSelector(() -> IoUringReadiness.SELECTOR);
        try {
            Throwable cause = LINUX ? Epoll.unavailabilityCause() : KQueue.unavailabilityCause();
            return cause == null ? NativeLibrary.unavailabilityCause()
                    : NativeLibrary.explain(cause, "Netty's " + selector + " library does not load; "
                    + (IS_MODULE ? "start with --add-modules io.netty.transport." + selector + '.'
                            + PlatformDependent.normalizedOs() + '.' + PlatformDependent.normalizedArch()
                            : "is netty-transport-native-" + selector + " on the class path?"));
        } catch (NoClassDefFoundError e) {
            String module = "io.netty.transport.classes." + selector;
            return new UnsatisfiedLinkError(IS_MODULE
                    ? "the module " + module + " is not there: write 'requires " + module
                            + "' in module-info.java, or start with --add-modules " + module
                    : "netty-transport-classes-" + selector + " is not on the class path").initCause(e);
        }
    }

    private static String nettyVersion() {
        Version version = Version.identify(NativeTransport.class.getClassLoader()).get("netty-common");
        return version == null ? "on the class path" : version.artifactVersion();
    }

    private static void addSelector(Supplier<Readiness.Selector> selector) {
        try {
            SELECTORS.add(selector.get());
        } catch (LinkageError ignored) {
            // Without Netty's classes, or the native library that some of them need, there are no such loops.
        }
    }

    /** Returns why the transport does not work here; {@code null} if it does. */
    public static Throwable unavailabilityCause() {
        return UNAVAILABILITY_CAUSE;
    }

    /**
     * Throws if the transport does not work here.
     *
     * @throws UnsatisfiedLinkError with the cause
     */
    public static void ensureAvailability() {
        if (UNAVAILABILITY_CAUSE != null) {
            throw (Error) new UnsatisfiedLinkError("netty-transport-unix is not available: "
                    + UNAVAILABILITY_CAUSE.getMessage()).initCause(UNAVAILABILITY_CAUSE);
        }
    }

    /** Whether the platform has sockets of this type. */
    public static boolean supports(SocketType type) {
        return Supported.TYPES.contains(type);
    }

    /** The types of sockets that the kernel can create; determined once. */
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

    /** Returns a factory for event loops on this platform's selector. */
    public static IoHandlerFactory newIoHandlerFactory() {
        ensureAvailability();
        return LINUX ? EpollIoHandler.newFactory() : KQueueIoHandler.newFactory();
    }

    /** Returns a factory for event loops that never sleep. */
    public static IoHandlerFactory newSpinningIoHandlerFactory() {
        return newSpinningIoHandlerFactory(SpinningIoHandler.FOREVER);
    }

    /** Returns a factory for event loops that sleep when nothing has happened for this time. */
    public static IoHandlerFactory newSpinningIoHandlerFactory(Duration look) {
        ensureAvailability();
        return SpinningIoHandler.newFactory(LINUX ? EpollIoHandler::newFactory : KQueueIoHandler::newFactory, look);
    }

    /** Returns the selector of this event loop; {@code null} if it is of another kind. */
    public static Readiness.Selector selectorOf(EventLoop loop) {
        if (loop instanceof IoEventLoop ioEventLoop) {
            for (Readiness.Selector selector : SELECTORS) {
                if (selector.isCompatible(ioEventLoop)) {
                    return selector;
                }
            }
        }
        return null;
    }

    /**
     * Creates a socket.
     *
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process may have no more
     *         descriptors
     */
    public static UnixSocket newSocket(SocketType type) {
        ensureAvailability();
        int fd = UnixSocket.newSocket(type.ordinal());
        if (fd < 0) {
            throw SocketErrors.newChannelException(Operation.SOCKET, type, null, fd, null);
        }
        return new UnixSocket(fd);
    }

    /**
     * Creates the channels of two sockets that are connected to each other.
     *
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process may have no more
     *         descriptors
     */
    public static <C> List<C> newPair(SocketType type, Function<UnixSocket, C> newChannel) {
        ensureAvailability();
        int[] fds = new int[2];
        int result = UnixSocket.newSocketPair(type.ordinal(), fds);
        if (result < 0) {
            throw SocketErrors.newChannelException(Operation.SOCKETPAIR, type, null, result, null);
        }
        UnixSocket one = new UnixSocket(fds[0]);
        UnixSocket other = new UnixSocket(fds[1]);
        try {
            return List.of(newChannel.apply(one), newChannel.apply(other));
        } catch (Throwable t) {
            one.closeQuietly();
            other.closeQuietly();
            throw t;
        }
    }
}
