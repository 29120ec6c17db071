package io.github.nettyunix.internal.metrics;

import io.github.nettyunix.SocketType;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPromise;
import io.netty.util.internal.PlatformDependent;

import java.net.SocketAddress;

/**
 * Events for JDK Flight Recorder. While no recording wants an event, it costs the test of a flag. The classes of the
 * events are loaded only where the JVM has Flight Recorder, unless {@code -Dio.netty.jfr.enabled=false} turns off
 * Netty's events too.
 */
public final class FlightEvents {
    private static final boolean ENABLED = PlatformDependent.isJfrEnabled() && load();

    private FlightEvents() {
    }

    /** Loads the events now: later, a process at its limit of descriptors could not load them from a folder. */
    static void initialize() {
        // The initializer of this class does it.
    }

    private static boolean load() {
        return ConnectEvent.INSTANCE != null && AcceptEvent.INSTANCE != null && TruncationEvent.INSTANCE != null
                && DescriptorsRefusedEvent.INSTANCE != null;
    }

    /** A connect begins; it ends with the promise. */
    public static void connecting(Channel channel, SocketType type, SocketAddress address, ChannelPromise promise,
            Counts counts) {
        if (ENABLED && ConnectEvent.INSTANCE.isEnabled() && !promise.isVoid()) {
            long retriesBefore = counts.get(Counter.CONNECT_RETRIES);
            ConnectEvent event = new ConnectEvent();
            event.begin();
            promise.addListener(future -> {
                event.end();
                event.setChannel(channel, type);
                event.address = AbstractUnixEvent.text(address);
                event.retries = counts.get(Counter.CONNECT_RETRIES) - retriesBefore;
                event.error = AbstractUnixEvent.text(future.cause());
                event.commit();
            });
        }
    }

    /** A server has accepted a connection. */
    public static void accepted(Channel server, SocketType type, Channel connection) {
        if (ENABLED && AcceptEvent.INSTANCE.isEnabled()) {
            AcceptEvent event = new AcceptEvent();
            event.setChannel(server, type);
            event.address = AbstractUnixEvent.text(server.localAddress());
            event.connection = AbstractUnixEvent.idOf(connection);
            event.peer = AbstractUnixEvent.text(connection.remoteAddress());
            event.commit();
        }
    }

    /** A server could not accept a connection. */
    public static void acceptFailed(Channel server, SocketType type, Throwable cause) {
        if (ENABLED && AcceptEvent.INSTANCE.isEnabled()) {
            AcceptEvent event = new AcceptEvent();
            event.setChannel(server, type);
            event.address = AbstractUnixEvent.text(server.localAddress());
            event.error = AbstractUnixEvent.text(cause);
            event.commit();
        }
    }

    /**
     * A message was lost because it, or its control data, exceeded a limit.
     *
     * @param sender the sender of a datagram; {@code null} on a connection
     */
    public static void truncated(Channel channel, SocketType type, SocketAddress address, SocketAddress sender,
            Throwable cause) {
        if (ENABLED && TruncationEvent.INSTANCE.isEnabled()) {
            TruncationEvent event = new TruncationEvent();
            event.setChannel(channel, type);
            event.address = AbstractUnixEvent.text(address);
            event.sender = AbstractUnixEvent.text(sender);
            event.error = AbstractUnixEvent.text(cause);
            event.commit();
        }
    }

    /**
     * A handler has refused descriptors.
     *
     * @param type {@code null} if the channel belongs to another transport
     */
    static void descriptorsRefused(Channel channel, SocketType type, int count, String reason) {
        if (ENABLED && DescriptorsRefusedEvent.INSTANCE.isEnabled()) {
            DescriptorsRefusedEvent event = new DescriptorsRefusedEvent();
            event.setChannel(channel, type);
            event.address = AbstractUnixEvent.text(channel.localAddress());
            event.count = count;
            event.reason = reason;
            event.commit();
        }
    }
}
