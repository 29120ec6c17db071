package io.github.nettyunix.examples.frameworks.webflux;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import io.github.nettyunix.frameworks.reactor.UnixLoopResources;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.web.reactive.function.client.WebClient;

import java.nio.file.Files;
import java.nio.file.Path;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class WebFluxTest {
    @TempDir
    private Path folder;

    @Test
    void aServerOfSpringBootAndAWebClient() throws Exception {
        Path path = folder.resolve("webflux.sock");
        UnixLoopResources loops;
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(WebFluxApplication.class)
                .properties("unix.path=" + path, "spring.main.banner-mode=off").run()) {
            loops = context.getBean(UnixLoopResources.class);
            WebClient client = WebFluxApplication.newClient(loops, UnixSocketAddress.of(path));
            for (int i = 0; i < 10; i++) {
                String body = client.get().uri("/hello").retrieve().bodyToMono(String.class).block();
                assertEquals("hello " + ProcessHandle.current().pid(), body);
            }
            try (Program curl = Program.start("curl", "-sS", "--unix-socket", path.toString(),
                    "http://localhost/hello")) {
                assertEquals(0, curl.exitValue(), curl::toString);
                assertEquals("hello " + curl.process().pid() + "\n", curl.output());
            }
            assertTrue(Files.exists(path));
        }
        assertTrue(loops.isDisposed());
        assertFalse(Files.exists(path));
        Evidence.of("Spring WebFlux", "requests of a WebClient to Spring Boot");
        Evidence.of("curl", "a request to Spring Boot");
    }
}
