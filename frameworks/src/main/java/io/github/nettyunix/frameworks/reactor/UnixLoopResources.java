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

    /** {@inheritDoc} */
    @Override
    public EventLoopGroup onServer(boolean useNative) {
        return group;
    }

    /** {@inheritDoc} */
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

    /** {@inheritDoc} */
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

    /** {@inheritDoc} */
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

    /** {@inheritDoc} */
    @Override
    public boolean isDisposed() {
        return group.isShuttingDown();
    }
}
