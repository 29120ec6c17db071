package io.github.nettyunix.testing;

import io.github.nettyunix.internal.socket.Errno;
import io.netty.channel.EventLoop;

import java.net.URISyntaxException;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * System calls that fail on one event loop, on Linux: the kernel refuses them to its thread, from now on until it ends.
 * The loop is to be one of a group of the test's own.
 */
public final class FailingCalls {
    /** The argument of epoll_ctl(2) that says what to do, and its value for a socket that was not watched before. */
    public static final int OPERATION = 1;
    public static final int EPOLL_CTL_ADD = 1;
    public static final int EPOLL_CTL_MOD = 3;
    /** A flag of socket(2), socketpair(2) and accept4(2). */
    public static final int SOCK_CLOEXEC = 02000000;

    private static final int ANY = -1;

    static {
        try {
            System.load(Path.of(FailingCalls.class.getResource("/libfailing_calls.so").toURI()).toString());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private FailingCalls() {
    }

    /** Lets every such call fail. */
    public static void on(EventLoop loop, String call, int errno) throws Exception {
        refuse(loop, call, ANY, 0, false, errno);
    }

    /** Lets calls fail one of whose arguments has this value. */
    public static void on(EventLoop loop, String call, int argument, int value, int errno) throws Exception {
        refuse(loop, call, argument, value, false, errno);
    }

    /** Lets calls fail one of whose arguments lacks a flag. */
    public static void withoutFlag(EventLoop loop, String call, int argument, int flag, int errno) throws Exception {
        refuse(loop, call, argument, flag, true, errno);
    }

    private static void refuse(EventLoop loop, String call, int argument, int value, boolean lacking, int errno)
            throws Exception {
        int number = numberOf(call);
        int result = loop.submit(() -> fail(number, argument, value, lacking, errno)).get();
        assertEquals(0, result, () -> "no filter: " + Errno.name(-result));
    }

    static int numberOf(String call) {
        int number = number(call);
        assertTrue(number >= 0, call);
        return number;
    }

    private static native int number(String call);

    private static native int fail(int number, int argument, int value, boolean lacking, int errno);
}
