package io.github.nettyunix.examples.frameworks.grpc;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.frameworks.EventLoops;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import io.github.nettyunix.frameworks.grpc.UnixGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.channel.EventLoopGroup;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** The other end is gRPC's implementation in JavaScript, which npm installs. */
class GrpcJsTest {
    private static final Path NODE = Path.of("target", "node").toAbsolutePath();

    @TempDir
    private Path folder;
    private final EventLoopGroup group = EventLoops.newGroup();

    private String path() {
        return folder.resolve("grpc.sock").toString();
    }

    @BeforeAll
    static void install() throws Exception {
        Files.createDirectories(NODE);
        Files.copy(Path.of("src/test/resources/grpc-js/health.js"), NODE.resolve("health.js"),
                StandardCopyOption.REPLACE_EXISTING);
        try (Program npm = Program.start("npm", "install", "--prefix", NODE.toString(), "--no-audit", "--no-fund",
                "--prefer-offline", "@grpc/grpc-js@" + System.getProperty("grpc-js.version"))) {
            assertEquals(0, npm.exitValue(), npm::toString);
        }
    }

    @AfterEach
    void stop() throws Exception {
        group.shutdownGracefully(0, 60, TimeUnit.SECONDS).sync();
    }

    private Program node(String command) {
        return Program.start("node", NODE.resolve("health.js").toString(), command, path());
    }

    @Test
    void aClientCallsAServerInJava() throws Exception {
        List<Integer> pids = Collections.synchronizedList(new ArrayList<>());
        Server server = UnixGrpc.newServerBuilder(UnixSocketAddress.of(path()), group)
                .addService(new HealthStatusManager().getHealthService())
                .intercept(new PeerInterceptor(credentials -> pids.add(credentials.pid()))).build().start();
        try (Program client = node("call")) {
            client.awaitLine("^serving$");
            assertEquals(0, client.exitValue());
            assertEquals(List.of((int) client.process().pid()), pids);
        } finally {
            server.shutdownNow().awaitTermination(1, TimeUnit.MINUTES);
        }
        Evidence.of("grpc-js", "calls a server");
    }

    @Test
    void aClientInJavaCallsAServer() throws Exception {
        try (Program server = node("serve")) {
            server.awaitLine("^listening$");
            ManagedChannel channel = PlainGrpc.newChannel(UnixSocketAddress.of(path()), group);
            assertEquals(ServingStatus.SERVING, HealthGrpc.newBlockingStub(channel)
                    .check(HealthCheckRequest.getDefaultInstance()).getStatus());
            server.awaitLine("^called as localhost$");
            channel.shutdownNow().awaitTermination(1, TimeUnit.MINUTES);
        }
        Evidence.of("grpc-js", "serves calls");
    }
}
