package io.github.nettyunix.examples.frameworks.vertx;

import io.github.nettyunix.frameworks.vertx.UnixVertxTransport;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.SocketAddress;

/** A server and a client of Vert.x. */
public final class VertxHttp {
    private VertxHttp() {
    }

    public static Vertx newVertx() {
        Vertx vertx = Vertx.builder().withTransport(new UnixVertxTransport()).build();
        return vertx;
    }

    public static Future<HttpServer> startServer(Vertx vertx, String path) {
        Future<HttpServer> server = vertx.createHttpServer()
                .requestHandler(request -> request.response().end("hello"))
                .listen(SocketAddress.domainSocketAddress(path));
        return server;
    }

    public static Future<Buffer> get(Vertx vertx, String path) {
        Future<Buffer> body = vertx.createHttpClient()
                .request(new RequestOptions().setServer(SocketAddress.domainSocketAddress(path)).setURI("/"))
                .compose(request -> request.send()).compose(HttpClientResponse::body);
        return body;
    }
}
