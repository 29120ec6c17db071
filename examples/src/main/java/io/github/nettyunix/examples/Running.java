package io.github.nettyunix.examples;

import io.github.nettyunix.UnixTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.Future;

import java.util.concurrent.TimeUnit;

/**
 * The event loops of an example. They end with it, also when it is interrupted or terminated: channels are closed then, and
 * a server's socket file goes with it.
 */
public final class Running implements AutoCloseable {
    private final EventLoopGroup group;
    private final Thread hook = new Thread(this::shutDown);
    private volatile Runnable atEnd = () -> { };

    /**
     * Starts them.
     *
     * @throws IllegalStateException if the transport is not available here
     */
    public Running() {
        if (!UnixTransport.isAvailable()) {
            throw new IllegalStateException(UnixTransport.unavailabilityCause().getMessage(), UnixTransport.unavailabilityCause());
        }
        group = new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory());
        Runtime.getRuntime().addShutdownHook(hook);
    }

    public EventLoopGroup group() {
        return group;
    }

    /**
     * Waits for something, and says what it is if that takes longer than two seconds.
     *
     * @param future succeeds, or fails with the exception that this throws then
     * @param what a line for the standard error
     */
    public static <F extends Future<?>> F await(F future, String what) throws InterruptedException {
        if (!future.await(2, TimeUnit.SECONDS)) {
            System.err.println(what);
        }
        future.sync();
        return future;
    }

    /** What to do when the event loops have ended. */
    public void atEnd(Runnable action) {
        atEnd = action;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The program is being terminated, and the hook does it.
            return;
        }
        shutDown();
    }

    private void shutDown() {
        // A quiet period, for what the last channels still have to say.
        group.shutdownGracefully(50, 5000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
        atEnd.run();
    }
}
