package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.OtherUser;
import io.github.nettyunix.examples.testing.OtherUser.ByRoot;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

/** Whose credentials arrive through the proxy. */
class ProxyCredentialsTest {
    @TempDir
    private Path folder;

    private Program start(Program proxy) throws Exception {
        proxy.awaitLine("listening on .*listen, forwarding to .*upstream");
        return proxy;
    }

    private List<String> arguments(String type) {
        return List.of("proxy", path("listen"), path("upstream"), "--type", type, "--credentials");
    }

    private List<String> peer(String type, Program proxy) {
        return List.of("python3", "-u", "src/test/resources/peers/credentials.py", type, path("listen"),
                path("upstream"), String.valueOf(proxy.process().pid()));
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    @ByRoot
    @ParameterizedTest
    @ValueSource(strings = {"stream", "seqpacket", "datagram"})
    void aPrivilegedProxyForwardsThem(String type) throws Exception {
        try (Program proxy = start(Program.example(arguments(type).toArray(new String[0])));
                Program peer = Program.start(peer(type, proxy).toArray(new String[0]))) {
            assertEquals(0, peer.exitValue(), peer::toString);
            assertEquals("""
                    up process itself user 0 group 0
                    down process itself user 0 group 0
                    up process parent user 1234 group 5678
                    down process parent user 1234 group 5678
                    from one that has ended process proxy user 0 group 0
                    and on process itself user 0 group 0
                    """, peer.output());
            assertFalse(proxy.output().contains("credentials"), proxy::toString);
        }
        Evidence.of("CPython", "credentials through a privileged proxy, " + type);
    }

    /** The kernel permits the proxy to claim only its own. */
    @ByRoot
    @ParameterizedTest
    @ValueSource(strings = {"stream", "seqpacket", "datagram"})
    void anotherSendsItsOwnAndSaysSoOnce(String type) throws Exception {
        Path classes = Files.createDirectory(folder.resolve("classes"));
        OtherUser nobody = new OtherUser(OtherUser.NOBODY, classes);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        try (Program proxy = start(nobody.example(arguments(type).toArray(new String[0])))) {
            // The proxy may not connect to, nor send to, sockets that only root may write to.
            List<String> command = new ArrayList<>(List.of("sh", "-c", "umask 0; exec \"$@\"", "sh"));
            command.addAll(peer(type, proxy));
            try (Program peer = Program.start(command.toArray(new String[0]))) {
                assertEquals(0, peer.exitValue(), peer::toString);
                assertEquals("""
                        up process proxy user 65534 group 65534
                        down process proxy user 65534 group 65534
                        up process proxy user 65534 group 65534
                        down process proxy user 65534 group 65534
                        from one that has ended process proxy user 65534 group 65534
                        and on process proxy user 65534 group 65534
                        """, peer.output());
            }
            proxy.terminate().exitValue();
            assertEquals(1, proxy.output().lines().filter(line -> line.startsWith("credentials: ")).count(),
                    proxy::toString);
        }
        Evidence.of("CPython", "credentials through a proxy without privileges, " + type);
    }
}
