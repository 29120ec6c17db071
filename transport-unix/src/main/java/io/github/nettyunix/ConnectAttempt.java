package io.github.nettyunix;

import io.netty.channel.ChannelPromise;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ConnectionPendingException;
import java.util.concurrent.TimeUnit;

/**
 * Connects a channel. The kernel refuses a connect with EAGAIN while the server's backlog is full, and reports no event
 * when it has room again. So the connect is repeated until CONNECT_TIMEOUT_MILLIS have passed.
 */
final class ConnectAttempt implements Runnable {
    private static final long FIRST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LAST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(64);

    private final AbstractUnixChannel channel;
    private final UnixSocketAddress address;
    private final ChannelPromise promise;
    private final int timeoutMillis;
    private final long deadline;
    private long delay = FIRST_DELAY_NANOS;
    private Future<?> retry;

    private ConnectAttempt(AbstractUnixChannel channel, UnixSocketAddress address, ChannelPromise promise) {
        this.channel = channel;
        this.address = address;
        this.promise = promise;
        timeoutMillis = channel.config().getConnectTimeoutMillis();
        deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    }

    /**
     * Connects an open channel, now or, if the server's backlog is full, later.
     *
     * @return false if that has failed, which the promise reports
     */
    static boolean connect(AbstractUnixChannel channel, SocketAddress remoteAddress, SocketAddress localAddress,
            ChannelPromise promise) {
        // A datagram channel is active once it is bound, which may happen here.
        boolean wasActive = channel.isActive();
        boolean asked = false;
        try {
            if (channel instanceof AbstractUnixServerChannel) {
                throw new UnsupportedOperationException("connect of a server");
            }
            if (channel.connectAttempt() != null) {
                throw new ConnectionPendingException();
            }
            if (channel.remoteAddress() != null) {
                throw new AlreadyConnectedException();
            }
            UnixSocketAddress address = channel.addresses.toUnixAddress("connect", remoteAddress);
            if (localAddress != null) {
                channel.doBind(localAddress);
            }
            asked = true;
            if (channel.addresses.tryConnect(address)) {
                connected(channel, promise, wasActive);
            } else {
                ConnectAttempt attempt = new ConnectAttempt(channel, address, promise);
                channel.setConnectAttempt(attempt);
                attempt.start();
            }
            return true;
        } catch (Throwable t) {
            if (asked && channel.isClosedByFailedConnect()) {
                // As with Netty's channels, before the listeners are notified.
                channel.unsafe().close(channel.voidPromise());
            }
            // The listeners may close the channel, as those of a Bootstrap do.
            boolean wasBound = !wasActive && channel.isActive();
            promise.tryFailure(t);
            if (wasBound) {
                channel.pipeline().fireChannelActive();
            }
            return false;
        }
    }

    private static void connected(AbstractUnixChannel channel, ChannelPromise promise, boolean wasActive)
            throws IOException {
        channel.activate();
        // The listeners may close the channel, which was active nevertheless; and the user may have cancelled the
        // promise.
        boolean isActive = channel.isActive();
        boolean wanted = promise.trySuccess();
        if (!wasActive && isActive) {
            channel.pipeline().fireChannelActive();
        }
        if (!wanted) {
            channel.unsafe().close(channel.voidPromise());
        }
    }

    private void start() {
        promise.addListener(future -> {
            if (future.isCancelled()) {
                channel.setConnectAttempt(null);
                channel.unsafe().close(channel.voidPromise());
            }
        });
        retryLater();
    }

    @Override
    public void run() {
        if (channel.connectAttempt() != this || !channel.isAtHome()) {
            return;
        }
        try {
            if (channel.addresses.tryConnect(address)) {
                channel.setConnectAttempt(null);
                connected(channel, promise, false);
            } else if (nanosLeft() <= 0) {
                throw UnixErrors.newConnectTimeout(channel.type, address, timeoutMillis);
            } else {
                retryLater();
            }
        } catch (IOException e) {
            channel.setConnectAttempt(null);
            channel.unsafe().close(channel.voidPromise());
            promise.tryFailure(e);
        }
    }

    /** The channel was registered with another loop: the retry scheduled on the previous loop will do nothing. */
    void onReregistered() {
        retry.cancel(false);
        run();
    }

    /** Returns the attempt that is scheduled. */
    Future<?> retry() {
        return retry;
    }

    /** The channel is being closed. */
    void fail(Exception cause) {
        retry.cancel(false);
        channel.setConnectAttempt(null);
        promise.tryFailure(cause);
    }

    private void retryLater() {
        retry = channel.eventLoop().schedule(this, Math.min(delay, nanosLeft()), TimeUnit.NANOSECONDS);
        delay = Math.min(delay * 2, LAST_DELAY_NANOS);
    }

    /** Returns the time until the timeout; a timeout of 0 milliseconds means none. */
    private long nanosLeft() {
        return timeoutMillis == 0 ? Long.MAX_VALUE : deadline - System.nanoTime();
    }
}
