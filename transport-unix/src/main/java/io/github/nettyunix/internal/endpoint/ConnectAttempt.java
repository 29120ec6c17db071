package io.github.nettyunix.internal.endpoint;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.metrics.FlightEvents;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ServerChannel;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ConnectionPendingException;
import java.util.concurrent.TimeUnit;

/**
 * Connects a channel. While the server's backlog is full, the kernel refuses a connect with EAGAIN, and no event
 * reports when there is room. The connect is therefore repeated until CONNECT_TIMEOUT_MILLIS have passed.
 */
public final class ConnectAttempt implements Runnable {
    private static final long FIRST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LONGEST_DELAY_NANOS = TimeUnit.DAYS.toNanos(1);
    private static final long LAST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(64);

    /** The effects of a connect on its channel. */
    public interface Owner {
        /** Returns the connect that waits for room in the server's backlog; {@code null} if there is none. */
        ConnectAttempt connectAttempt();

        void setConnectAttempt(ConnectAttempt attempt);

        /** Binds the channel before it connects. */
        void bindTo(SocketAddress localAddress) throws Exception;

        /**
         * The socket is connected: begins what is to follow before the channel is active, and calls {@link
         * ConnectAttempt#complete} or {@link ConnectAttempt#refused} when it is done; returns whether nothing is.
         */
        boolean establish() throws IOException;

        /** The channel is connected. */
        void activate() throws IOException;

        /** Whether a connect that the kernel refused closes the channel, as it does with Netty's own. */
        boolean isClosedByFailedConnect();
    }

    private final ChannelCore core;
    private final Owner owner;
    private final Endpoint endpoint;
    private final UnixSocketAddress address;
    private final ChannelPromise promise;
    private final int timeoutMillis;
    private final long deadline;
    private long delay = FIRST_DELAY_NANOS;
    private Future<?> retry;

    private ConnectAttempt(ChannelCore core, Owner owner, Endpoint endpoint, UnixSocketAddress address,
            ChannelPromise promise) {
        this.core = core;
        this.owner = owner;
        this.endpoint = endpoint;
        this.address = address;
        this.promise = promise;
        timeoutMillis = core.channel().config().getConnectTimeoutMillis();
        deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
    }

    /**
     * Connects an open channel, now or, if the server's backlog is full, later.
     *
     * @return false if that has failed, which the promise reports
     */
    public static boolean connect(ChannelCore core, Owner owner, Endpoint endpoint, SocketAddress remoteAddress,
            SocketAddress localAddress, ChannelPromise promise) {
        Channel channel = core.channel();
        // A datagram channel is active once it is bound, which may happen here.
        boolean wasActive = channel.isActive();
        boolean attempted = false;
        try {
            if (channel instanceof ServerChannel) {
                throw new UnsupportedOperationException("connect of a server");
            }
            if (owner.connectAttempt() != null) {
                throw new ConnectionPendingException();
            }
            if (core.remote() != null) {
                throw new AlreadyConnectedException();
            }
            UnixSocketAddress address = SocketName.toUnixAddress(Operation.CONNECT, core.type(), remoteAddress);
            if (localAddress != null) {
                owner.bindTo(localAddress);
            }
            attempted = true;
            FlightEvents.connecting(channel, core.type(), address, promise, core.counts());
            if (endpoint.tryConnect(address) && owner.establish()) {
                connected(core, owner, promise, wasActive);
            } else {
                ConnectAttempt attempt = new ConnectAttempt(core, owner, endpoint, address, promise);
                owner.setConnectAttempt(attempt);
                attempt.start();
            }
            return true;
        } catch (Throwable t) {
            if (attempted && owner.isClosedByFailedConnect()) {
                // As with Netty's channels, before the listeners are notified.
                core.close();
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

    private static void connected(ChannelCore core, Owner owner, ChannelPromise promise, boolean wasActive)
            throws IOException {
        Channel channel = core.channel();
        owner.activate();
        // The listeners may close the channel, which was active nevertheless; and the user may have cancelled the
        // promise.
        boolean isActive = channel.isActive();
        boolean wanted = promise.trySuccess();
        if (!wasActive && isActive) {
            channel.pipeline().fireChannelActive();
        }
        if (!wanted) {
            core.close();
        }
    }

    private void start() {
        promise.addListener(future -> {
            if (future.isCancelled()) {
                owner.setConnectAttempt(null);
                core.close();
            }
        });
        waitOn();
    }

    @Override
    public void run() {
        if (owner.connectAttempt() != this || !core.isOnEventLoop()) {
            return;
        }
        try {
            if (isConnected()) {
                if (nanosLeft() <= 0) {
                    throw newTimeout("the peer has not answered the handshake");
                }
                waitOn();
                return;
            }
            core.counts().count(Counter.CONNECT_RETRIES);
            if (endpoint.tryConnect(address)) {
                if (owner.establish()) {
                    complete();
                } else {
                    waitOn();
                }
            } else if (nanosLeft() <= 0) {
                throw newTimeout("the server's backlog was full");
            } else {
                waitOn();
            }
        } catch (IOException e) {
            refused(e);
        }
    }

    private IOException newTimeout(String what) {
        return SocketErrors.newConnectTimeout(core.type(), address, what, timeoutMillis);
    }

    /** Whether the socket is connected, and what is to follow has begun. */
    private boolean isConnected() {
        return core.remote() != null;
    }

    /** What has followed the connect is done. */
    public void complete() throws IOException {
        retry.cancel(false);
        owner.setConnectAttempt(null);
        connected(core, owner, promise, false);
    }

    /** The connect, or what has followed it, has failed. */
    public void refused(IOException cause) {
        retry.cancel(false);
        owner.setConnectAttempt(null);
        core.close();
        promise.tryFailure(cause);
    }

    /** The channel was registered with another loop: the retry scheduled on the previous loop will do nothing. */
    public void onReregistered() {
        retry.cancel(false);
        run();
    }

    /** Returns the attempt that is scheduled. */
    public Future<?> retry() {
        return retry;
    }

    /** The channel is being closed. */
    public void fail(Exception cause) {
        retry.cancel(false);
        owner.setConnectAttempt(null);
        promise.tryFailure(cause);
    }

    /** Waits for room in the backlog or, once connected, for the timeout. */
    private void waitOn() {
        long next = isConnected() ? Math.min(nanosLeft(), LONGEST_DELAY_NANOS) : Math.min(delay, nanosLeft());
        retry = core.channel().eventLoop().schedule(this, next, TimeUnit.NANOSECONDS);
        delay = Math.min(delay * 2, LAST_DELAY_NANOS);
    }

    /** Returns the time until the timeout; a timeout of 0 milliseconds means none. */
    private long nanosLeft() {
        return timeoutMillis == 0 ? Long.MAX_VALUE : deadline - System.nanoTime();
    }
}
