package io.github.nettyunix.examples.frameworks.reactor;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.frameworks.reactor.UnixLoopResources;
import io.github.nettyunix.handler.PeerAuthorizationHandler;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/** A server and a client of Reactor Netty. */
public final class ReactorHttp {
    private ReactorHttp() {
    }

    public static DisposableServer startServer(UnixSocketAddress address, UnixLoopResources loops) {
        DisposableServer server = HttpServer.create().runOn(loops).bindAddress(() -> address)
                .handle((request, response) -> response.sendString(Mono.just("hello " + pid(request)))).bindNow();
        return server;
    }

    private static int pid(HttpServerRequest request) {
        AtomicReference<UnixPeer> peer = new AtomicReference<>();
        request.withConnection(connection -> peer.set((UnixPeer) connection.channel()));
        try {
            return peer.get().peerCredentials().pid();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A server that closes the connections of peers that are not admitted. */
    public static DisposableServer startServer(UnixSocketAddress address, UnixLoopResources loops,
            Predicate<? super UnixCredentials> admitted) {
        return HttpServer.create().runOn(loops).bindAddress(() -> address)
                .doOnChannelInit((observer, channel, remote) ->
                        channel.pipeline().addFirst(new PeerAuthorizationHandler(admitted)))
                .handle((request, response) -> response.sendString(Mono.just("hello"))).bindNow();
    }

    public static String get(UnixSocketAddress address, UnixLoopResources loops) {
        HttpClient client = HttpClient.create().runOn(loops).remoteAddress(() -> address);
        String body = client.get().uri("/").responseContent().aggregate().asString().block();
        return body;
    }
}
