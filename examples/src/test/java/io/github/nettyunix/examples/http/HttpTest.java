package io.github.nettyunix.examples.http;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class HttpTest {
    private static final String PAGE = "<p>index\n";

    @TempDir
    private static Path folder;
    private static final List<Program> STARTED = new ArrayList<>();
    private static String tcpToServer;
    private static String tcpToNginx;

    private static String path(String name) {
        return folder.resolve(name).toString();
    }

    @BeforeAll
    static void start() throws Exception {
        Path root = Files.createDirectory(folder.resolve("root"));
        Files.writeString(root.resolve("index.html"), PAGE);
        Files.write(root.resolve("large"), new byte[3_000_000]);
        Files.createDirectory(root.resolve("empty"));
        Files.createSymbolicLink(root.resolve("outside"), Files.writeString(folder.resolve("secret"), "secret"));

        Program server = example("http", "serve", path("served"), "--root", root.toString());
        Program fixed = example("http", "serve", path("fixed"));
        Program toServer = example("http", "proxy", "0", path("served"));
        Program toNginx = example("http", "proxy", "127.0.0.1:0", path("nginx"));
        server.awaitLine("listening on .*served");
        fixed.awaitLine("listening on .*fixed");
        tcpToServer = "http://" + toServer.awaitLine("listening on (127.0.0.1:\\d+), forwarding to .*served").group(1);
        tcpToNginx = "http://" + toNginx.awaitLine("listening on (127.0.0.1:\\d+), forwarding to .*nginx").group(1);
        startNginx(root);
    }

    private static Program example(String... arguments) {
        Program example = Program.example(arguments);
        STARTED.add(example);
        return example;
    }

    /** nginx serves the root on one socket, and proxies to the example's server on another. */
    private static void startNginx(Path root) throws Exception {
        Path configuration = Files.writeString(folder.resolve("nginx.conf"), """
                daemon off;
                # One process, of the user that runs the test.
                master_process off;
                pid %1$s/nginx.pid;
                events { }
                http {
                  access_log off;
                  client_body_temp_path %1$s; proxy_temp_path %1$s; fastcgi_temp_path %1$s;
                  uwsgi_temp_path %1$s; scgi_temp_path %1$s;
                  server { listen unix:%1$s/nginx; location / { root %2$s; } }
                  upstream example { server unix:%1$s/served; keepalive 4; }
                  server {
                    listen unix:%1$s/before;
                    location / { proxy_pass http://example; proxy_http_version 1.1; proxy_set_header Connection ""; }
                  }
                }
                """.formatted(folder, root));
        Program nginx = Program.start("nginx", "-e", "stderr", "-g", "error_log stderr notice;", "-c",
                configuration.toString());
        STARTED.add(nginx);
        nginx.awaitLine("getrlimit");
    }

    @AfterAll
    static void stop() {
        STARTED.forEach(Program::close);
    }

    /** Returns what curl prints: the page, and what {@code -w} or {@code -i} requests. */
    private static String curl(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("curl", "-s", "-S", "--max-time", "30"));
        command.addAll(List.of(arguments));
        try (Program curl = Program.start(command.toArray(new String[0]))) {
            assertEquals(0, curl.exitValue(), curl::toString);
            return curl.output();
        }
    }

    @Test
    void curlGetsFilesAndErrors() throws Exception {
        String socket = path("served");
        assertEquals(PAGE, curl("--unix-socket", socket, "http://localhost/"));
        assertEquals("200 text/html 9\n", curl("--unix-socket", socket, "-I", "-o", path("head"), "-w",
                "%{http_code} %{content_type} %header{content-length}", "http://localhost/index.html"));
        for (String missing : List.of("/missing", "/empty", "/empty/", "/outside", "/../secret", "/%2e%2e/secret",
                "/%00", "/%")) {
            assertEquals("404 Not Found\n", curl("--unix-socket", socket, "--path-as-is", "http://localhost" + missing),
                    missing);
        }
        String refused = curl("--unix-socket", socket, "-i", "-d", "data", "http://localhost/");
        assertTrue(refused.startsWith("HTTP/1.1 405 Method Not Allowed\n") && refused.contains("allow: GET, HEAD\n"),
                refused);
        assertTrue(curl("--unix-socket", path("fixed"), "http://localhost/?query")
                .contains("Hello from a Unix socket."));
        assertEquals("404 Not Found\n", curl("--unix-socket", path("fixed"), "http://localhost/missing"));
        Evidence.of("curl", "files and errors from a Unix socket");
    }

    @Test
    void aConnectionServesSeveralRequests() throws Exception {
        assertEquals("1 3000000\n0 3000000\n0 3000000\n", curl("--unix-socket", path("served"), "-o", path("large"),
                "-w", "%{num_connects} %{size_download}\n", "http://localhost/large", "-o", path("large"),
                "http://localhost/large", "-o", path("large"), "http://localhost/large"));
        assertEquals("1 3000000\n0 3000000\n", curl("-o", path("large"),
                "-w", "%{num_connects} %{size_download}\n", tcpToServer + "/large", "-o", path("large"),
                tcpToServer + "/large"));
        Evidence.of("curl", "keep-alive over a Unix socket, and over TCP behind the proxy");
    }

    @Test
    void garbageIsABadRequestAndEndsTheConnection() throws Exception {
        try (Program netcat = Program.start("nc", "-U", path("served"))) {
            netcat.send("garbage\r\n\r\n");
            netcat.awaitLine("^HTTP/1.1 400 Bad Request");
            // The client sees that the connection is closed, and has not ended its own half.
            assertEquals(0, netcat.exitValue());
        }
        Evidence.of("nc", "a bad request");
    }

    @Test
    void nginxStandsBeforeTheServer() throws Exception {
        assertEquals(PAGE, curl("--unix-socket", path("before"), "http://localhost/"));
        assertEquals("3000000\n", curl("--unix-socket", path("before"), "-o", path("large"), "-w", "%{size_download}\n",
                "http://localhost/large"));
        assertEquals("404 Not Found\n", curl("--unix-socket", path("before"), "http://localhost/missing"));
        Evidence.of("nginx", "proxy_pass to the server");
    }

    @Test
    void theTcpProxyForwardsToNginx() throws Exception {
        assertEquals(PAGE, curl(tcpToNginx + "/"));
        assertEquals("1 3000000\n0 3000000\n", curl("-o", path("large"),
                "-w", "%{num_connects} %{size_download}\n", tcpToNginx + "/large", "-o", path("large"),
                tcpToNginx + "/large"));
        Evidence.of("nginx", "on a Unix socket behind the proxy from TCP");
    }

    @Test
    void wrongUsageAndFailuresHaveDifferentExitStatus() throws Exception {
        try (Program noPort = Program.example("http", "proxy", "no port", path("served"));
             Program noFolder = Program.example("http", "serve", path("other"), "--root", path("missing"));
             Program taken = Program.example("http", "serve", path("served"))) {
            assertEquals(2, noPort.exitValue(), noPort::toString);
            assertEquals(2, noFolder.exitValue(), noFolder::toString);
            assertEquals(1, taken.exitValue(), taken::toString);
            assertTrue(taken.output().contains("EADDRINUSE (Address already in use): there is a live socket"),
                    taken::output);
        }
    }
}
