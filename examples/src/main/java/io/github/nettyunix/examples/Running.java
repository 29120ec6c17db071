package io.github.nettyunix.examples;

import io.github.nettyunix.UnixTransport;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.Future;

import java.util.concurrent.TimeUnit;

/**
 * The event loops of an example. They end with the example, even if it is interrupted or terminated: all channels are
 * then closed, which removes a server's socket file.
 */
public final class Running implements AutoCloseable {
    private final EventLoopGroup group;
    private final Thread hook = new Thread(this::shutDown);
    private volatile Runnable atEnd = () -> { };

    /**
     * Starts the event loops.
     *
     * @throws IllegalStateException if the transport is not available here
     */
    public Running() {
        if (!UnixTransport.isAvailable()) {
            throw new IllegalStateException(UnixTransport.unavailabilityCause().getMessage(),
                    UnixTransport.unavailabilityCause());
        }
        group = new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory());
        Runtime.getRuntime().addShutdownHook(hook);
    }

    public EventLoopGroup group() {
        return group;
    }

    /**
     * Waits for a future, and prints what it is waiting for if that takes longer than two seconds.
     *
     * @param future the future; if it fails, this method throws the same exception
     * @param what the line to print to standard error
     */
    public static <F extends Future<?>> F await(F future, String what) throws InterruptedException {
        if (!future.await(2, TimeUnit.SECONDS)) {
            System.err.println(what);
        }
        future.sync();
        return future;
    }

    /** Registers an action to run when the event loops have ended. */
    public void atEnd(Runnable action) {
        atEnd = action;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The program is being terminated, and the shutdown hook does this.
            return;
        }
        shutDown();
    }

    private void shutDown() {
        // A quiet period lets the last channels finish writing.
        group.shutdownGracefully(50, 5000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
        atEnd.run();
    }
}
