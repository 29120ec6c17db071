package io.github.nettyunix.testing;

import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.internal.PlatformDependent;

/** The event loops that tests run on. Which selector drives them is chosen from outside, never by a test. */
public final class Loops {
    private static final EventLoopGroup GROUP = start();

    private Loops() {
    }

    private static EventLoopGroup start() {
        EventLoopGroup group = newGroup(4);
        try {
            // What the loops, the library and the JVM open for themselves is open before a test counts descriptors.
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
        return System.getProperty("nettyunix.test.selector",
                PlatformDependent.normalizedOs().equals("linux") ? "epoll" : "kqueue");
    }

    /** Whether it is not this system's own. */
    public static boolean isEmulated() {
        return System.getProperty("nettyunix.test.selector") != null;
    }

    public static IoHandlerFactory newIoHandlerFactory() {
        return switch (selector()) {
            case "epoll", "kqueue" -> UnixTransport.newIoHandlerFactory();
            case "kqueue-freebsd", "kqueue-macos" -> EmulatedKQueue.newIoHandlerFactory();
            default -> throw new IllegalArgumentException(selector());
        };
    }

    /** The same for loops that never sleep. */
    public static IoHandlerFactory newSpinningIoHandlerFactory() {
        return switch (selector()) {
            case "epoll", "kqueue" -> UnixTransport.newSpinningIoHandlerFactory();
            case "kqueue-freebsd", "kqueue-macos" -> EmulatedKQueue.newSpinningIoHandlerFactory();
            default -> throw new IllegalArgumentException(selector());
        };
    }

    /** A group that all tests of this JVM share. */
    public static EventLoopGroup group() {
        return GROUP;
    }

    /** A group of its own, to be shut down by the test. */
    public static EventLoopGroup newGroup(int threads) {
        return new MultiThreadIoEventLoopGroup(threads, newIoHandlerFactory());
    }
}
