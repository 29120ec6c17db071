package io.github.nettyunix.examples.frameworks.micronaut;

import io.github.nettyunix.frameworks.micronaut.UnixEventLoopGroupFactory;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Replaces;
import io.micronaut.http.netty.channel.EpollEventLoopGroupFactory;
import io.micronaut.http.netty.channel.EventLoopGroupFactory;
import jakarta.inject.Named;
import jakarta.inject.Singleton;

/** Makes the Unix sockets of a Micronaut application those of this transport. */
@Factory
public class UnixSockets {
    @Singleton
    @Named(EpollEventLoopGroupFactory.NAME)
    @Replaces(EpollEventLoopGroupFactory.class)
    EventLoopGroupFactory eventLoops() {
        return new UnixEventLoopGroupFactory();
    }
}
