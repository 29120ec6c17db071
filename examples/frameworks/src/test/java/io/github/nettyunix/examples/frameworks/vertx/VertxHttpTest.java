package io.github.nettyunix.examples.frameworks.vertx;

import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.frameworks.vertx.UnixVertxTransport;
import io.netty.channel.Channel;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.net.NetSocketInternal;
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
            assertEquals("hello", await(VertxHttp.get(vertx, path())).toString());
        }
        Evidence.of("Vert.x", "HTTP");
    }

    @Test
    void streamsAtBothEndsAreChannelsOfThisTransport() throws Exception {
        CompletableFuture<Channel> accepted = new CompletableFuture<>();
        await(vertx.createNetServer().connectHandler(socket -> {
            accepted.complete(((NetSocketInternal) socket).channelHandlerContext().channel());
            socket.handler(socket::write);
        }).listen(SocketAddress.domainSocketAddress(path())));
        NetSocket client = await(vertx.createNetClient().connect(SocketAddress.domainSocketAddress(path())));
        CompletableFuture<Buffer> echo = new CompletableFuture<>();
        client.handler(echo::complete);
        await(client.write("bytes"));
        assertEquals("bytes", echo.get(1, TimeUnit.MINUTES).toString());
        assertInstanceOf(UnixStreamChannel.class, ((NetSocketInternal) client).channelHandlerContext().channel());
        assertEquals(ProcessHandle.current().pid(), ((UnixPeer) accepted.get()).peerCredentials().pid());
        await(client.close());
        Evidence.of("Vert.x", "a stream, and the peer's credentials");
    }

    @Test
    void otherSocketsAreTheUsualOnes() throws Exception {
        int port = await(vertx.createNetServer().connectHandler(socket -> socket.end(Buffer.buffer("tcp")))
                .listen(0, "127.0.0.1")).actualPort();
        CompletableFuture<Buffer> greeting = new CompletableFuture<>();
        await(vertx.createNetClient().connect(port, "127.0.0.1")).handler(greeting::complete);
        assertEquals("tcp", greeting.get(1, TimeUnit.MINUTES).toString());
    }
}
