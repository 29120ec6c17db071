package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.WatchedDescriptor;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.readiness.Readiness;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import io.netty.util.concurrent.Promise;
import io.netty.util.internal.ObjectUtil;
import io.netty.util.internal.logging.InternalLogger;
import io.netty.util.internal.logging.InternalLoggerFactory;

import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;

/**
 * Reports on an event loop when a descriptor can be read or written, whatever it is of: an eventfd, a pipe, a pidfd, a
 * timerfd, a socket of another library. {@link UnixTransport#watch} creates it. The events are level-triggered, as
 * those of <a href="https://man7.org/linux/man-pages/man2/poll.2.html">poll(2)</a> are: the handler is called again and
 * again as long as the descriptor is ready.
 *
 * <p>A watch has a duplicate of the descriptor. So the original can be closed or released at any time, but the open
 * file remains until the watch ends: a peer does not see the end of a pipe before. A watch ends when it is closed, its
 * handler fails, or its event loop shuts down. All methods are thread-safe.
 *
 * <pre>{@code
 * UnixTransport.watch(loop, eventFd, (watch, event) -> handle(EventCounter.take(eventFd)), DescriptorWatch.Event.READ);
 * }</pre>
 */
public final class DescriptorWatch implements AutoCloseable {
    /** What a descriptor is ready for. */
    public enum Event {
        /** A read does not block: there is something to read, the end, or an error. */
        READ,
        /** A write does not block: there is room, or an error. */
        WRITE
    }

    /** Is called on the event loop when the descriptor is ready. */
    @FunctionalInterface
    public interface Handler {
        /**
         * The descriptor is ready. Now and then it is no longer, because another holder of the open file was faster:
         * read and write in non-blocking mode. What is left for later is reported again. A handler that does not want
         * that must {@linkplain #setEvents change the events} or {@linkplain #close close} the watch, for example at
         * the end of a stream.
         *
         * @param watch the watch
         * @param event one of the events that it waits for
         * @throws Exception ends the watch and fails its {@link #closeFuture}
         */
        void ready(DescriptorWatch watch, Event event) throws Exception;
    }

    private static final InternalLogger LOGGER = InternalLoggerFactory.getInstance(DescriptorWatch.class);

    private final EventLoop loop;
    private final Handler handler;
    private final WatchedDescriptor fd;
    private final Readiness readiness;
    private final Promise<Void> closed;
    // An event loop that shuts down without a quiet period may forget what is registered with it.
    private final FutureListener<Object> afterLoop = future -> finish(null);
    // The fields below belong to the event loop.
    private int interest;
    private boolean registered;
    private boolean ended;

    private DescriptorWatch(EventLoop loop, WatchedDescriptor fd, Handler handler, Readiness.Selector selector,
            int interest) {
        this.loop = loop;
        this.fd = fd;
        this.handler = handler;
        this.interest = interest;
        readiness = selector.newReadiness(fd, new Listener());
        closed = loop.newPromise();
        closed.setUncancellable();
    }

    /** See {@link UnixTransport#watch}. */
    static Future<DescriptorWatch> start(EventLoop loop, UnixFileDescriptor fd, Handler handler, Event... events) {
        ObjectUtil.checkNotNull(handler, "handler");
        int interest = interestOf(events);
        Readiness.Selector selector = NativeTransport.selectorOf(loop);
        if (selector == null) {
            return loop.newFailedFuture(SocketErrors.newForeignLoop(fd.intValue(), loop));
        }
        WatchedDescriptor watched;
        try {
            watched = WatchedDescriptor.of(fd);
        } catch (IOException e) {
            return loop.newFailedFuture(e);
        }
        return new DescriptorWatch(loop, watched, handler, selector, interest).register();
    }

    private Future<DescriptorWatch> register() {
        Promise<DescriptorWatch> started = loop.newPromise();
        started.setUncancellable();
        try {
            readiness.register((IoEventLoop) loop).addListener(future ->
                    registered(started, future.isSuccess() ? begin() : future.cause()));
        } catch (RejectedExecutionException e) {
            registered(started, e);
        }
        return started;
    }

    private void registered(Promise<DescriptorWatch> started, Throwable cause) {
        if (cause == null) {
            started.setSuccess(this);
        } else {
            end(cause);
            started.setFailure(cause);
        }
    }

    /** Begins to watch; returns why that failed. */
    private Throwable begin() {
        registered = true;
        loop.terminationFuture().addListener(afterLoop);
        try {
            readiness.start(interest);
            return null;
        } catch (Readiness.RefusedException e) {
            return fd.newException(readiness, e);
        }
    }

    private static int interestOf(Event... events) {
        int interest = 0;
        for (Event event : events) {
            interest |= event == Event.READ ? Readiness.READ : Readiness.WRITE;
        }
        return interest;
    }

    /**
     * Returns the event loop that calls the handler.
     *
     * @return the event loop
     */
    public EventLoop eventLoop() {
        return loop;
    }

    /**
     * Changes the events that the watch waits for: at once on the event loop, and soon on another thread. Has no effect
     * on a watch that has ended.
     *
     * @param events the new events; none pauses the watch
     */
    public void setEvents(Event... events) {
        int newInterest = interestOf(events);
        onLoop(() -> {
            if (!ended && interest != newInterest) {
                interest = newInterest;
                submit();
            }
        });
    }

    private void submit() {
        try {
            readiness.interest(interest);
        } catch (Readiness.RefusedException e) {
            end(fd.newException(readiness, e));
        }
    }

    /**
     * Returns the future of the end of this watch.
     *
     * @return a future that completes on the event loop after the last call of the handler; it fails if the handler has
     *         thrown an exception, or the selector can no longer watch the descriptor
     */
    public Future<Void> closeFuture() {
        return closed;
    }

    /**
     * Ends the watch: at once on the event loop, where the handler is not called again; on another thread soon, when
     * the {@link #closeFuture} completes. Has no effect if it has ended already.
     */
    @Override
    public void close() {
        onLoop(() -> end(null));
    }

    private void onLoop(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
        } else if (!closed.isDone()) {
            try {
                loop.execute(task);
            } catch (RejectedExecutionException e) {
                // The loop has shut down, and with it the watch.
            }
        }
    }

    private void end(Throwable cause) {
        if (!ended && registered) {
            readiness.cancel();
            loop.terminationFuture().removeListener(afterLoop);
        }
        finish(cause);
    }

    private void finish(Throwable cause) {
        if (ended) {
            return;
        }
        ended = true;
        fd.close();
        if (cause == null) {
            closed.setSuccess(null);
        } else {
            closed.setFailure(cause);
        }
    }

    @Override
    public String toString() {
        return "DescriptorWatch(" + fd.original() + (closed.isDone() ? ", closed" : "") + ')';
    }

    /** Receives the events. */
    private final class Listener implements Readiness.Listener {
        @Override
        public boolean isLevelTriggered() {
            return true;
        }

        @Override
        public Readiness.Poller poller() {
            return Readiness.Poller.NONE;
        }

        @Override
        public boolean readReady() {
            report(Readiness.READ, Event.READ);
            return true;
        }

        @Override
        public void writeReady() {
            report(Readiness.WRITE, Event.WRITE);
        }

        @Override
        public void peerClosed() {
            if (interest == Readiness.WRITE) {
                // Only a write can find that there is nobody left to read.
                writeReady();
            }
        }

        private void report(int kind, Event event) {
            if (ended || (interest & kind) == 0) {
                return;
            }
            try {
                handler.ready(DescriptorWatch.this, event);
            } catch (Throwable t) {
                LOGGER.warn("The handler of {} has failed, which ends the watch.", DescriptorWatch.this, t);
                end(t);
            }
        }

        @Override
        public void refused(Readiness.RefusedException cause) {
            end(fd.newException(readiness, cause));
        }

        @Override
        public void closeByLoop() {
            end(null);
        }
    }
}
