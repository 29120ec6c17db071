package io.github.nettyunix.examples.frameworks.webflux;

import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.frameworks.reactor.UnixLoopResources;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.reactor.netty.NettyServerCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.http.client.ReactorResourceFactory;
import org.springframework.http.client.reactive.ReactorClientHttpConnector;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.function.client.WebClient;
import reactor.core.publisher.Mono;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.server.HttpServerRequest;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;

/** A server of Spring WebFlux, in Spring Boot, and a client. The property {@code unix.path} has the socket's path. */
@SpringBootConfiguration
@EnableAutoConfiguration
@RestController
public class WebFluxApplication {
    @Bean(destroyMethod = "dispose")
    UnixLoopResources unixLoops() {
        return new UnixLoopResources(new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory()));
    }

    @Bean
    ReactorResourceFactory reactorResources(UnixLoopResources loops) {
        ReactorResourceFactory resources = new ReactorResourceFactory();
        resources.setUseGlobalResources(false);
        resources.setLoopResources(loops);
        return resources;
    }

    @Bean
    NettyServerCustomizer onUnixSocket(@Value("${unix.path}") String path) {
        return server -> server.bindAddress(() -> UnixSocketAddress.of(path));
    }

    /** Greets the process that asks. */
    @GetMapping("/hello")
    Mono<String> hello(ServerHttpRequest request) throws IOException {
        HttpServerRequest reactorRequest = ServerHttpRequestDecorator.getNativeRequest(request);
        AtomicReference<UnixPeer> peer = new AtomicReference<>();
        reactorRequest.withConnection(connection -> peer.set((UnixPeer) connection.channel()));
        return Mono.just("hello " + peer.get().peerCredentials().pid());
    }

    public static WebClient newClient(UnixLoopResources loops, UnixSocketAddress address) {
        HttpClient http = HttpClient.create().runOn(loops).remoteAddress(() -> address);
        WebClient client = WebClient.builder().clientConnector(new ReactorClientHttpConnector(http)).build();
        return client;
    }
}
