package io.github.nettyunix.examples.frameworks.reactor;

import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.frameworks.EventLoops;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import io.github.nettyunix.frameworks.reactor.UnixLoopResources;
import io.github.nettyunix.handler.PeerAuthorizationHandler;
import io.netty.channel.socket.SocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.DisposableServer;
import reactor.netty.http.client.HttpClient;
import reactor.netty.tcp.TcpClient;
import reactor.netty.tcp.TcpServer;

import java.nio.file.Path;
import java.time.Duration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ReactorHttpTest {
    private static final long PID = ProcessHandle.current().pid();

    @TempDir
    private Path folder;
    private final UnixLoopResources loops = new UnixLoopResources(EventLoops.newGroup());
    private DisposableServer server;

    private UnixSocketAddress address() {
        return UnixSocketAddress.of(folder.resolve("reactor.sock"));
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.disposeNow();
        }
        loops.disposeLater(Duration.ZERO, Duration.ofMinutes(1)).block();
        assertTrue(loops.isDisposed());
    }

    @Test
    void httpAtBothEnds() {
        server = ReactorHttp.startServer(address(), loops);
        assertInstanceOf(UnixServerStreamChannel.class, server.channel());
        for (int i = 0; i < 10; i++) {
            assertEquals("hello " + PID, ReactorHttp.get(address(), loops));
        }
        Evidence.of("Reactor Netty", "HTTP, and the peer's credentials");
    }

    @Test
    void curlIsServedIfItsUserIsAdmitted() throws Exception {
        server = ReactorHttp.startServer(address(), loops, PeerAuthorizationHandler.sameUser());
        try (Program curl = Program.start("curl", "-sS", "--unix-socket", address().path(), "http://localhost/")) {
            assertEquals(0, curl.exitValue(), curl::toString);
            assertEquals("hello\n", curl.output());
        }
        server.disposeNow();
        server = ReactorHttp.startServer(address(), loops, PeerAuthorizationHandler.sameUser().negate());
        try (Program curl = Program.start("curl", "-sS", "--unix-socket", address().path(), "http://localhost/")) {
            assertNotEquals(0, curl.exitValue(), curl::toString);
            assertFalse(curl.output().contains("hello"), curl::toString);
        }
        Evidence.of("curl", "requests to a server of Reactor Netty, which admits its user or does not");
    }

    @Test
    void streamsAtBothEnds() {
        server = TcpServer.create().runOn(loops).bindAddress(this::address)
                .handle((in, out) -> out.sendString(in.receive().asString().map(text -> "echo " + text)))
                .bindNow();
        Connection client = TcpClient.create().runOn(loops).remoteAddress(this::address).connectNow();
        client.outbound().sendString(Mono.just("bytes")).then().block();
        assertEquals("echo bytes", client.inbound().receive().asString().blockFirst());
        client.disposeNow();
    }

    @Test
    void theHostOfAnAbsoluteUriReplacesTheAddress() {
        server = ReactorHttp.startServer(address(), loops);
        HttpClient client = HttpClient.create().runOn(loops).remoteAddress(this::address);
        assertThrows(RuntimeException.class, () -> client.get().uri("http://127.0.0.1:1/").response().block());
    }

    @Test
    void channelsForOtherSocketsAreTheUsualOnes() {
        server = TcpServer.create().runOn(loops).host("127.0.0.1").port(0)
                .handle((in, out) -> out.sendString(Mono.just("tcp")).neverComplete()).bindNow();
        Connection client = TcpClient.create().runOn(loops).remoteAddress(() -> server.address()).connectNow();
        assertInstanceOf(SocketChannel.class, client.channel());
        assertEquals("tcp", client.inbound().receive().asString().blockFirst());
        client.disposeNow();
        assertFalse(loops.isDisposed());
    }
}
