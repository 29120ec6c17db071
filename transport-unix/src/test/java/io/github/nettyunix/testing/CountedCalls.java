package io.github.nettyunix.testing;

import io.github.nettyunix.internal.socket.Errno;
import io.netty.channel.EventLoop;

import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.concurrent.Callable;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * System calls of one event loop, counted as they are made, on Linux. As with {@link FailingCalls}, the loop is to be
 * one of a group of the test's own.
 */
public final class CountedCalls {
    static {
        try {
            System.load(Path.of(CountedCalls.class.getResource("/libcounted_calls.so").toURI()).toString());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private final EventLoop loop;

    private CountedCalls(EventLoop loop) {
        this.loop = loop;
    }

    /** Counts calls whose first argument is a descriptor. */
    public static CountedCalls of(EventLoop loop, String... calls) throws Exception {
        for (String call : calls) {
            int number = FailingCalls.numberOf(call);
            int result = loop.submit(() -> start(number)).get();
            assertEquals(0, result, () -> "no filter: " + Errno.name(-result));
        }
        return new CountedCalls(loop);
    }

    /** Returns how many calls are made by an action on the event loop, which runs nothing else meanwhile. */
    public int during(Runnable action) throws Exception {
        return loop.submit((Callable<Integer>) () -> {
            int before = count();
            action.run();
            return count() - before;
        }).get();
    }

    /** Returns how many calls were made so far. */
    public int sofar() throws Exception {
        return loop.submit(CountedCalls::count).get();
    }

    /** Lets one of the next calls fail, and not those after it. */
    public void failOnce(int which, int errno) throws Exception {
        loop.submit(() -> fail(which, errno)).get();
    }

    private static native int start(int number);

    private static native int count();

    private static native void fail(int which, int errno);
}
