package io.github.nettyunix.internal.readiness;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.channel.SelectStrategy;
import io.netty.channel.SelectStrategyFactory;
import io.netty.util.concurrent.ThreadAwareExecutor;
import io.netty.util.concurrent.Ticker;
import io.netty.util.internal.logging.InternalLogger;
import io.netty.util.internal.logging.InternalLoggerFactory;

import java.time.Duration;

/**
 * Drives an event loop that looks for events some time before it sleeps, or never sleeps. While few of its sockets wait
 * for data, it reads from them without consulting the selector, because a notification costs more than an attempt. The
 * selector is called every few attempts: for connections to accept, for room to write, and for handles that are not
 * {@link Readiness}. If there are more such sockets, they are left to the selector altogether.
 */
public final class SpinningIoHandler implements IoHandler {
    /** A read that finds nothing costs more than one call of the selector for all sockets. */
    private static final int MOST_READERS = 4;
    /** The number of polls before the selector is called again. */
    private static final int POLLS = 8;

    /** How long event loops look that never sleep. */
    public static final Duration FOREVER = Duration.ofNanos(Long.MAX_VALUE);

    private static final InternalLogger LOGGER = InternalLoggerFactory.getInstance(SpinningIoHandler.class);

    private final IoHandler selector;
    private final BusyReaders readers = new BusyReaders();
    // They are polled however many they are, since that makes no system call.
    private final BusyReaders memoryReaders = new BusyReaders();
    private final long lookNanos;
    private final boolean sleeps;
    private final Ticker ticker;
    private int polls;
    private long lastEvent;
    // A task has come. Set by the thread that submits it, before it wakes the loop.
    private volatile boolean awoken;

    private SpinningIoHandler(Selectors selectors, long lookNanos, Ticker ticker, ThreadAwareExecutor executor) {
        this.lookNanos = lookNanos;
        sleeps = lookNanos != Long.MAX_VALUE;
        this.ticker = ticker;
        lastEvent = ticker.nanoTime();
        selector = selectors.newFactory(0, () -> (selectNow, hasTasks) ->
                hasTasks || isLooking() || !memoryReaders.canSleep() ? selectNow.get() : SelectStrategy.SELECT)
                .newHandler(executor);
    }

    /** Makes factories of one kind of selector, as its {@code newFactory} does. */
    public interface Selectors {
        IoHandlerFactory newFactory(int maxEvents, SelectStrategyFactory strategy);
    }

    /** Event loops that sleep when nothing has happened for this time, on this kind of selector. */
    public static IoHandlerFactory newFactory(Selectors selectors, Duration look) {
        if (look.isNegative()) {
            throw new IllegalArgumentException("look: " + look + " (expected: >= 0)");
        }
        return newFactory(selectors, look.compareTo(FOREVER) >= 0 ? Long.MAX_VALUE : look.toNanos(),
                Ticker.systemTicker());
    }

    static IoHandlerFactory newFactory(Selectors selectors, long lookNanos, Ticker ticker) {
        // Unlike the selector's own loops, these cannot be suspended: their utilization would have to be measured at
        // every poll.
        return executor -> new SpinningIoHandler(selectors, lookNanos, ticker, executor);
    }

    private boolean isLooking() {
        return !sleeps || ticker.nanoTime() - lastEvent < lookNanos;
    }

    @Override
    public int run(IoHandlerContext context) {
        int handled = look(context);
        if (sleeps && (handled > 0 || awoken)) {
            awoken = false;
            lastEvent = ticker.nanoTime();
        }
        return handled;
    }

    private int look(IoHandlerContext context) {
        int sockets = readers.size() > MOST_READERS ? 0 : readers.size();
        int count = sockets + memoryReaders.size();
        if (count == 0) {
            return selector.run(context);
        }
        int handled = poll(memoryReaders) + (sockets > 0 ? poll(readers) : 0);
        // Even if there is always something to read.
        polls += count;
        if (polls >= POLLS) {
            polls = 0;
            handled += selector.run(context);
        }
        return handled;
    }

    private static int poll(BusyReaders readers) {
        int handled = 0;
        for (int i = readers.size() - 1; i >= 0; i--) {
            // Data read by one reader may have ended others.
            if (i < readers.size() && tryToRead(readers.get(i))) {
                handled++;
            }
        }
        return handled;
    }

    private static boolean tryToRead(BusyReaders.Reader reader) {
        try {
            return reader.poll();
        } catch (Exception e) {
            // As the selectors do, so that the event loop survives.
            LOGGER.warn("Unexpected exception in an event loop.", e);
            return true;
        }
    }

    @Override
    public IoRegistration register(IoHandle handle) throws Exception {
        if (handle instanceof Readiness readiness) {
            readiness.busyReaders = readiness.listener.poller().isPollingFree() ? memoryReaders : readers;
        }
        return selector.register(handle);
    }

    @Override
    public void initialize() {
        selector.initialize();
    }

    @Override
    public void prepareToDestroy() {
        selector.prepareToDestroy();
    }

    @Override
    public void destroy() {
        selector.destroy();
    }

    @Override
    public void wakeup() {
        if (sleeps) {
            awoken = true;
        }
        selector.wakeup();
    }

    @Override
    public boolean isCompatible(Class<? extends IoHandle> handleType) {
        return selector.isCompatible(handleType);
    }
}
