package io.github.nettyunix.testing;

import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.internal.readiness.SpinningIoHandler;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.internal.PlatformDependent;

import java.time.Duration;

/** The event loops that tests run on. The selector is chosen by a system property, never by a test. */
public final class Loops {
    private static final EventLoopGroup GROUP = start();

    private Loops() {
    }

    private static EventLoopGroup start() {
        EventLoopGroup group = newGroup(4);
        try {
            // Opens what the loops, the library and the JVM need for themselves before a test counts descriptors.
            for (EventExecutor loop : group) {
                loop.submit(Thread::yield).sync();
            }
            for (var channel : UnixStreamChannel.pair()) {
                group.register(channel).sync().channel().close().sync();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return group;
    }

    /** The name of the selector. */
    public static String selector() {
        return System.getProperty("nettyunix.test.selector", defaultSelector());
    }

    private static String defaultSelector() {
        return PlatformDependent.normalizedOs().equals("linux") ? "epoll" : "kqueue";
    }

    /** Whether the selector is the one that the transport chooses here. */
    public static boolean isDefault() {
        return selector().equals(defaultSelector());
    }

    public static IoHandlerFactory newIoHandlerFactory() {
        return switch (selector()) {
            case "epoll", "kqueue" -> UnixTransport.newIoHandlerFactory();
            case "io-uring" -> IoUringIoHandler.newFactory();
            case "kqueue-freebsd", "kqueue-macos" -> EmulatedKQueue.newIoHandlerFactory();
            default -> throw new IllegalArgumentException(selector());
        };
    }

    /** The same for loops that never sleep. */
    public static IoHandlerFactory newSpinningIoHandlerFactory() {
        return newSpinningIoHandlerFactory(SpinningIoHandler.FOREVER);
    }

    /** The same for loops that sleep when nothing has happened for this time. */
    public static IoHandlerFactory newSpinningIoHandlerFactory(Duration look) {
        return switch (selector()) {
            case "epoll", "io-uring", "kqueue" -> UnixTransport.newSpinningIoHandlerFactory(look);
            case "kqueue-freebsd", "kqueue-macos" -> EmulatedKQueue.newSpinningIoHandlerFactory(look);
            default -> throw new IllegalArgumentException(selector());
        };
    }

    /** A group that all tests of this JVM share. */
    public static EventLoopGroup group() {
        return GROUP;
    }

    /** Returns a new group, to be shut down by the test. */
    public static EventLoopGroup newGroup(int threads) {
        return new MultiThreadIoEventLoopGroup(threads, newIoHandlerFactory());
    }
}
