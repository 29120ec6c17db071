package io.github.nettyunix.examples.frameworks.vertx;

import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.frameworks.vertx.UnixVertxTransport;
import io.netty.channel.Channel;
import io.netty.channel.socket.SocketChannel;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import io.vertx.core.net.SocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

class VertxHttpTest {
    @TempDir
    private Path folder;
    private final Vertx vertx = VertxHttp.newVertx();
    // Vert.x closes clients that are garbage.
    private final HttpClient httpClient = vertx.createHttpClient();
    private final NetClient netClient = vertx.createNetClient();

    private String path() {
        return folder.resolve("vertx.sock").toString();
    }

    private static <T> T await(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(1, TimeUnit.MINUTES);
    }

    @AfterEach
    void stop() throws Exception {
        await(vertx.close());
    }

    @Test
    void httpAtBothEnds() throws Exception {
        assertTrue(new UnixVertxTransport().available());
        await(VertxHttp.startServer(vertx, path()));
        for (int i = 0; i < 10; i++) {
            assertEquals("hello", await(VertxHttp.get(httpClient, path())).toString());
        }
        Evidence.of("Vert.x", "HTTP");
    }

    @Test
    void anAbstractName() throws Exception {
        String name = "\0vertx-" + ProcessHandle.current().pid();
        await(VertxHttp.startServer(vertx, name));
        assertEquals("hello", await(VertxHttp.get(httpClient, name)).toString());
    }

    @Test
    void streamsAtBothEndsAreChannelsOfThisTransport() throws Exception {
        CompletableFuture<Channel> accepted = new CompletableFuture<>();
        await(vertx.createNetServer().connectHandler(socket -> {
            accepted.complete(((NetSocketInternal) socket).channelHandlerContext().channel());
            socket.handler(socket::write);
        }).listen(SocketAddress.domainSocketAddress(path())));
        NetSocket client = await(netClient.connect(SocketAddress.domainSocketAddress(path())));
        assertEquals("bytes", echo(client, "bytes"));
        assertInstanceOf(UnixStreamChannel.class, ((NetSocketInternal) client).channelHandlerContext().channel());
        assertEquals(ProcessHandle.current().pid(), ((UnixPeer) accepted.get()).peerCredentials().pid());
        await(client.close());
        Evidence.of("Vert.x", "a stream, and the peer's credentials");
    }

    @Test
    void otherSocketsAreTheUsualOnes() throws Exception {
        int port = await(vertx.createNetServer().connectHandler(socket -> socket.handler(socket::write))
                .listen(0, "127.0.0.1")).actualPort();
        NetSocket client = await(netClient.connect(port, "127.0.0.1"));
        assertInstanceOf(SocketChannel.class, ((NetSocketInternal) client).channelHandlerContext().channel());
        assertEquals("tcp", echo(client, "tcp"));
    }

    /** The handler is there before anything is sent to it. */
    private static String echo(NetSocket client, String text) throws Exception {
        CompletableFuture<Buffer> echo = new CompletableFuture<>();
        client.handler(echo::complete);
        await(client.write(text));
        return echo.get(1, TimeUnit.MINUTES).toString();
    }
}
