package io.github.nettyunix.examples.frameworks.micronaut;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import io.micronaut.context.ApplicationContext;
import io.micronaut.runtime.server.EmbeddedServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

class MicronautTest {
    @TempDir
    private Path folder;

    @Test
    void aServerWithAUnixSocketAndNoOther() throws Exception {
        Path path = folder.resolve("micronaut.sock");
        try (EmbeddedServer server = ApplicationContext.run(EmbeddedServer.class, Map.of(
                "micronaut.server.netty.listeners.unix.family", "UNIX",
                "micronaut.server.netty.listeners.unix.path", path.toString(),
                "micronaut.netty.event-loops.default.transport", "epoll",
                "micronaut.server.netty.parent.transport", "epoll"))) {
            for (int i = 0; i < 2; i++) {
                try (Program curl = Program.start("curl", "-sS", "--unix-socket", path.toString(),
                        "http://localhost/hello")) {
                    assertEquals(0, curl.exitValue(), curl::toString);
                    assertEquals("hello " + curl.process().pid() + "\n", curl.output());
                }
            }
        }
        assertFalse(Files.exists(path));
        Evidence.of("curl", "requests to Micronaut");
    }
}
