package io.github.nettyunix.examples.frameworks.grpc;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.frameworks.EventLoops;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.frameworks.grpc.UnixGrpc;
import io.github.nettyunix.handler.PeerAuthorizationHandler;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.ssl.SslContextBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GrpcTest {
    private static final String FILE = "of-a-grpc-call";

    @TempDir
    private Path folder;
    private final EventLoopGroup group = EventLoops.newGroup();
    private UnixSocketAddress address;
    private Server server;
    private ManagedChannel channel;

    @BeforeEach
    void setUp() {
        address = UnixSocketAddress.of(folder.resolve("grpc.sock"));
    }

    @AfterEach
    void stop() throws Exception {
        if (channel != null) {
            channel.shutdownNow().awaitTermination(1, TimeUnit.MINUTES);
        }
        server.shutdownNow().awaitTermination(1, TimeUnit.MINUTES);
        group.shutdownGracefully(0, 60, TimeUnit.SECONDS).sync();
        assertEquals(List.of(), openFiles(), "descriptors of calls are still open");
    }

    /** Those of the files that {@link #newFile} has made, at either end. */
    private static List<String> openFiles() throws IOException {
        List<String> open = new ArrayList<>();
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors.toList()) {
                try {
                    open.add(Files.readSymbolicLink(descriptor).toString());
                } catch (NoSuchFileException e) {
                    // That of the listing.
                }
            }
        }
        open.removeIf(path -> !path.contains(FILE));
        return open;
    }

    private static UnixFileDescriptor newFile(int size) throws IOException {
        return UnixFileDescriptor.memfd(FILE, Unpooled.wrappedBuffer(new byte[size]));
    }

    private static long sum(ManagedChannel channel, int... sizes) throws IOException {
        List<UnixFileDescriptor> files = new ArrayList<>();
        for (int size : sizes) {
            files.add(newFile(size));
        }
        try {
            return FileSizes.sum(channel, files);
        } finally {
            files.forEach(UnixFileDescriptor::release);
        }
    }

    private static Status failure(ManagedChannel channel, int... sizes) {
        return assertThrows(StatusRuntimeException.class, () -> sum(channel, sizes)).getStatus();
    }

    @Test
    void aServerAndAClientOfGrpcsOwnBuilders() throws Exception {
        server = PlainGrpc.startServer(address, group, new HealthStatusManager().getHealthService());
        channel = PlainGrpc.newChannel(address, group);
        assertEquals(ServingStatus.SERVING, HealthGrpc.newBlockingStub(channel)
                .check(HealthCheckRequest.getDefaultInstance()).getStatus());
        Evidence.of("grpc-java", "a call with gRPC's own builders");
    }

    @Test
    void anInterceptorSeesThePeerAndTheDescriptors() throws Exception {
        List<Long> pids = Collections.synchronizedList(new ArrayList<>());
        server = UnixGrpc.newServerBuilder(address, group, 10).addService(new FileSizes())
                .intercept(new PeerInterceptor(credentials -> pids.add((long) credentials.pid()))).build().start();
        channel = UnixGrpc.newChannelBuilder(address, group).build();
        assertEquals(0, sum(channel));
        assertEquals(300, sum(channel, 100, 200));
        assertEquals(5, sum(channel, 5));
        long pid = ProcessHandle.current().pid();
        assertEquals(List.of(pid, pid, pid), pids);
        Evidence.of("grpc-java", "credentials and descriptors in an interceptor");
    }

    /** A certificate of localhost, with its key. */
    private KeyStore newCertificate(char[] password) throws Exception {
        Path file = folder.resolve("localhost.p12");
        Process keytool = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair", "-alias", "localhost", "-keyalg", "EC", "-dname", "CN=localhost", "-ext",
                "san=dns:localhost", "-storepass", new String(password), "-keystore", file.toString())
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        assertEquals(0, keytool.waitFor());
        return KeyStore.getInstance(file.toFile(), password);
    }

    @Test
    void callsOverTlsHaveTheSamePeerAndDescriptors() throws Exception {
        char[] password = "password".toCharArray();
        KeyStore certificate = newCertificate(password);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(certificate, password);
        List<Long> pids = Collections.synchronizedList(new ArrayList<>());
        server = UnixGrpc.newServerBuilder(address, group, 10).addService(new FileSizes())
                .intercept(new PeerInterceptor(credentials -> pids.add((long) credentials.pid())))
                .sslContext(GrpcSslContexts.configure(SslContextBuilder.forServer(keys)).build()).build().start();
        channel = UnixGrpc.newChannelBuilder(address, group).useTransportSecurity()
                .sslContext(GrpcSslContexts.forClient()
                        .trustManager((X509Certificate) certificate.getCertificate("localhost")).build())
                .build();
        assertEquals(0, sum(channel));
        assertEquals(300, sum(channel, 100, 200));
        assertEquals(5, sum(channel, 5));
        long pid = ProcessHandle.current().pid();
        assertEquals(List.of(pid, pid, pid), pids);

        ManagedChannel plain = UnixGrpc.newChannelBuilder(address, group).build();
        try {
            assertEquals(Status.Code.UNAVAILABLE, failure(plain).getCode());
        } finally {
            plain.shutdownNow().awaitTermination(1, TimeUnit.MINUTES);
        }
        Evidence.of("grpc-java", "credentials and descriptors of calls over TLS");
    }

    @Test
    void eachOfManyConcurrentCallsHasItsOwnDescriptors() throws Exception {
        server = FileSizes.startServer(address, group);
        channel = UnixGrpc.newChannelBuilder(address, group).build();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<Long>> sums = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                int size = i;
                sums.add(threads.submit(() -> sum(channel, size, 1000)));
            }
            for (int i = 0; i < 400; i++) {
                assertEquals(i + 1000, sums.get(i).get());
            }
        } finally {
            threads.shutdownNow();
        }
        Evidence.of("grpc-java", "400 concurrent calls, each with descriptors of its own");
    }

    @Test
    void aCallMayHaveAsManyDescriptorsAsAMessage() throws Exception {
        server = FileSizes.startServer(address, group);
        channel = UnixGrpc.newChannelBuilder(address, group).build();
        int[] sizes = new int[UnixMessage.MAX_FILE_DESCRIPTORS];
        Arrays.fill(sizes, 1);
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<Long>> sums = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                sums.add(threads.submit(() -> sum(channel, sizes)));
            }
            for (Future<Long> sum : sums) {
                assertEquals(sizes.length, sum.get());
            }
        } finally {
            threads.shutdownNow();
        }
        List<UnixFileDescriptor> tooMany = Collections.nCopies(sizes.length + 1, null);
        assertThrows(IllegalArgumentException.class, () -> UnixGrpc.withFileDescriptors(tooMany));
    }

    @Test
    void aPeerThatIsNotAdmittedIsRefused() throws Exception {
        server = UnixGrpc.newServerBuilder(address, group, 10).addService(new FileSizes())
                .intercept(new PeerInterceptor(PeerAuthorizationHandler.sameUser().negate())).build().start();
        channel = UnixGrpc.newChannelBuilder(address, group).build();
        assertEquals(Status.Code.PERMISSION_DENIED, failure(channel, 5).getCode());
    }

    @Test
    void aServerThatReceivesNoDescriptorsSaysSo() throws Exception {
        server = UnixGrpc.newServerBuilder(address, group).addService(new FileSizes())
                .intercept(new PeerInterceptor(PeerAuthorizationHandler.sameUser())).build().start();
        channel = UnixGrpc.newChannelBuilder(address, group).build();
        assertEquals(0, sum(channel));
        Status status = failure(channel, 5, 6);
        assertEquals(Status.Code.FAILED_PRECONDITION, status.getCode());
        assertTrue(status.getDescription().contains("the 2 descriptors"), status::toString);
    }

    @Test
    void descriptorsBeyondTheLimitAreClosed() throws Exception {
        server = UnixGrpc.newServerBuilder(address, group, 2).addService(new FileSizes())
                .intercept(new PeerInterceptor(PeerAuthorizationHandler.sameUser())).build().start();
        channel = UnixGrpc.newChannelBuilder(address, group).build();
        assertEquals(Status.Code.FAILED_PRECONDITION, failure(channel, 1, 2, 3).getCode());
        // The two that are still waiting make room.
        assertEquals(9, sum(channel, 4, 5));
    }

    @Test
    void aChannelOfAnotherKindSendsNoDescriptorsAndTheServerNotices() throws Exception {
        server = FileSizes.startServer(address, group);
        channel = PlainGrpc.newChannel(address, group);
        assertEquals(0, sum(channel));
        assertEquals(Status.Code.FAILED_PRECONDITION, failure(channel, 1).getCode());
    }

    @Test
    void descriptorsThatNoCallTakesAreClosedWithTheConnection() throws Exception {
        server = UnixGrpc.newServerBuilder(address, group, 10)
                .addService(new HealthStatusManager().getHealthService()).build().start();
        channel = UnixGrpc.newChannelBuilder(address, group).build();
        UnixFileDescriptor file = newFile(1);
        HealthGrpc.newBlockingStub(channel).withInterceptors(UnixGrpc.withFileDescriptors(List.of(file)))
                .check(HealthCheckRequest.getDefaultInstance());
        file.release();
        assertEquals(1, openFiles().size());
    }
}
