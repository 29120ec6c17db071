package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Postgres;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Servers and clients that do not know of the proxy between them. */
class ProxiedServersTest {
    @TempDir
    private Path folder;
    private final List<Program> started = new ArrayList<>();

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private Program start(String... command) {
        Program program = Program.start(command);
        started.add(program);
        return program;
    }

    private void startProxy(String listen, String upstream, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("proxy", listen, upstream));
        arguments.addAll(List.of(options));
        Program proxy = Program.example(arguments.toArray(new String[0]));
        started.add(proxy);
        proxy.awaitLine("listening on .*, forwarding to ");
    }

    /** Runs a program, which must succeed, and returns its output. */
    private static String run(String... command) throws Exception {
        try (Program program = Program.start(command)) {
            program.endInput();
            assertEquals(0, program.exitValue(), program::toString);
            return program.output();
        }
    }

    @AfterEach
    void stop() {
        started.forEach(Program::close);
    }

    @Test
    void socatAndNetcatTalkThroughIt() throws Exception {
        startProxy(path("listen"), path("upstream"));
        start("nc", "-v", "-lkU", path("upstream")).awaitLine("Listening on");
        try (Program socat = Program.start("socat", "-t", "30", "-", "UNIX-CONNECT:" + path("listen"))) {
            Program netcat = started.get(1);
            socat.send("from socat\n");
            netcat.awaitLine("^from socat$");
            netcat.send("from netcat\n");
            socat.awaitLine("^from netcat$");
        }

        String abstractName = "proxied-" + ProcessHandle.current().pid();
        startProxy("@" + abstractName, path("sorter"));
        // It responds once its input has ended.
        start("socat", "-d", "-d", "UNIX-LISTEN:" + path("sorter") + ",fork", "EXEC:sort").awaitLine("listening on");
        try (Program socat = Program.start("socat", "-t", "30", "-", "ABSTRACT-CONNECT:" + abstractName)) {
            socat.send("b\na\n").endInput();
            assertEquals(0, socat.exitValue());
            assertEquals("a\nb\n", socat.output());
        }
        Evidence.of("socat", "both directions, and their ends, through the proxy");
        Evidence.of("nc", "lines through the proxy");
    }

    @Test
    void redisAnswersThroughIt() throws Exception {
        startProxy(path("listen"), path("redis"), "--stats", path("stats"));
        start("redis-server", "--port", "0", "--unixsocket", path("redis"), "--save", "", "--dir", folder.toString())
                .awaitLine("ready to accept connections");
        assertEquals("PONG\n", run("redis-cli", "-s", path("listen"), "ping"));
        String load = run("redis-benchmark", "-s", path("listen"), "-q", "-n", "1000", "-c", "20", "-P", "4", "-d",
                "1000", "-t", "set,get,lrange_100");
        assertTrue(load.contains("GET: ") && !load.contains("rror"), load);
        Evidence.of("redis", "its benchmark through the proxy");
    }

    @Test
    void postgresAnswersThroughIt() throws Exception {
        String socket = Files.createDirectory(folder.resolve("in")) + "/" + Postgres.SOCKET;
        startProxy(socket, path(Postgres.SOCKET));
        started.add(Postgres.start(folder));
        String[] psql = {"psql", "-h", path("in"), "-U", "postgres", "-At", "-c"};
        assertEquals("5000050000\n", run(Stream.concat(Stream.of(psql),
                Stream.of("select sum(n) from generate_series(1, 100000) n")).toArray(String[]::new)));
        String rows = run(Stream.concat(Stream.of(psql),
                Stream.of("copy (select n, repeat('x', 1000) from generate_series(1, 5000) n) to stdout"))
                .toArray(String[]::new));
        assertEquals(5000, rows.lines().count());
        Evidence.of("PostgreSQL", "queries and a copy through the proxy");
    }

    @Test
    void aBusPassesDescriptorsThroughIt() throws Exception {
        startProxy(path("listen"), path("bus"), "--stats", path("stats"));
        start("dbus-daemon", "--session", "--nofork", "--print-address", "--address=unix:path=" + path("bus"))
                .awaitLine("^unix:path=");
        try (Program peer = Program.start("python3", "-u", "src/test/resources/peers/dbus_to_itself.py", path("listen"),
                "500")) {
            peer.awaitLine("^OK$");
            peer.awaitLine("^AGREE_UNIX_FD$");
            peer.awaitLine("^calls 500$");
            assertEquals(0, peer.exitValue());
        }
        String names = run("dbus-send", "--bus=unix:path=" + path("listen"), "--print-reply",
                "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames");
        assertTrue(names.contains("string \"org.freedesktop.DBus\""), names);
        started.get(0).terminate().exitValue();
        String stats = Files.readString(folder.resolve("stats"));
        assertTrue(stats.contains("\"connections\": 2, ") && stats.contains("\"fdsUp\": 1000, \"fdsDown\": 1000}"),
                stats);
        Evidence.of("dbus-daemon", "calls with descriptors through the proxy");
    }
}
