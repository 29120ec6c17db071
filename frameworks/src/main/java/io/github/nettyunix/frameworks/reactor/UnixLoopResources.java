package io.github.nettyunix.frameworks.reactor;

import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.unix.DomainDatagramChannel;
import io.netty.channel.unix.DomainSocketChannel;
import io.netty.channel.unix.ServerDomainSocketChannel;
import reactor.core.publisher.Mono;
import reactor.netty.resources.LoopResources;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * Event loops for Reactor Netty, and for what is built on it, whose channels for Unix sockets are those of this
 * transport. All other channels are Reactor Netty's usual ones.
 * <pre>{@code
 * HttpServer.create().runOn(loops).bindAddress(() -> address)...
 * HttpClient.create().runOn(loops).remoteAddress(() -> address)...
 * }</pre>
 */
public final class UnixLoopResources implements LoopResources {
    private final EventLoopGroup group;

    /**
     * Creates loop resources.
     *
     * @param group the event loops, of a kind that the transport supports, see
     *        {@link UnixTransport#newIoHandlerFactory()}; disposing of the loop resources shuts it down
     */
    public UnixLoopResources(EventLoopGroup group) {
        this.group = Objects.requireNonNull(group, "group");
    }

    /**
     * Returns the event loops, which clients use as well.
     *
     * @param useNative not considered
     * @return the group
     */
    @Override
    public EventLoopGroup onServer(boolean useNative) {
        return group;
    }

    /**
     * Creates a channel: of this transport for a Unix socket, and otherwise the usual one for the event loops.
     *
     * @param type the interface of the channel
     * @param eventLoops the group that it will be registered with
     * @param <C> the interface of the channel
     * @return the channel
     */
    @Override
    public <C extends Channel> C onChannel(Class<C> type, EventLoopGroup eventLoops) {
        if (type == DomainSocketChannel.class) {
            return type.cast(new UnixStreamChannel());
        }
        if (type == ServerDomainSocketChannel.class) {
            return type.cast(new UnixServerStreamChannel());
        }
        if (type == DomainDatagramChannel.class) {
            return type.cast(new UnixDatagramChannel());
        }
        return LoopResources.super.onChannel(type, eventLoops);
    }

    /**
     * Returns the class of {@link #onChannel}'s channels.
     *
     * @param type the interface of the channel
     * @param eventLoops the group that it will be registered with
     * @param <C> the interface of the channel
     * @return the class
     */
    @Override
    public <C extends Channel> Class<? extends C> onChannelClass(Class<C> type, EventLoopGroup eventLoops) {
        if (type == DomainSocketChannel.class) {
            return UnixStreamChannel.class.asSubclass(type);
        }
        if (type == ServerDomainSocketChannel.class) {
            return UnixServerStreamChannel.class.asSubclass(type);
        }
        if (type == DomainDatagramChannel.class) {
            return UnixDatagramChannel.class.asSubclass(type);
        }
        return LoopResources.super.onChannelClass(type, eventLoops);
    }

    /**
     * Shuts the group down.
     *
     * @param quietPeriod how long nothing must happen before it ends
     * @param timeout how long to wait for that at most
     * @return completes when the group has ended
     */
    @Override
    public Mono<Void> disposeLater(Duration quietPeriod, Duration timeout) {
        return Mono.defer(() -> Mono.fromCompletionStage(shutDown(quietPeriod, timeout)));
    }

    private CompletionStage<Void> shutDown(Duration quietPeriod, Duration timeout) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        group.shutdownGracefully(quietPeriod.toMillis(), timeout.toMillis(), TimeUnit.MILLISECONDS)
                .addListener(future -> done.complete(null));
        return done;
    }

    /**
     * Returns whether the group was shut down.
     *
     * @return true if it was, or is being shut down
     */
    @Override
    public boolean isDisposed() {
        return group.isShuttingDown();
    }
}
