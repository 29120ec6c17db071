package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The proxy, with CPython at both ends: what comes out is what went in. */
class ProxyTest {
    private static final int DESCRIPTORS = 10_000;

    @TempDir
    private Path folder;
    private Program proxy;

    private void start(String type, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("proxy", path("listen"), path("upstream"), "--type", type,
                "--stats", path("stats.json")));
        arguments.addAll(List.of(options));
        proxy = Program.example(arguments.toArray(new String[0]));
        proxy.awaitLine("listening on .*listen, forwarding to .*upstream");
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    /** Starts the script that runs both ends. */
    private Program peer(String script, String type, Object... arguments) {
        List<String> command = new ArrayList<>(List.of("python3", "-u", "src/test/resources/peers/" + script, type,
                path("listen"), path("upstream")));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        return Program.start(command.toArray(new String[0]));
    }

    @AfterEach
    void stop() {
        if (proxy != null) {
            proxy.close();
        }
    }

    /** Ends the proxy, and returns its final statistics. */
    private String stats() throws Exception {
        proxy.terminate();
        assertEquals(143, proxy.exitValue(), "SIGTERM");
        assertFalse(Files.exists(folder.resolve("listen")), "the socket file is left behind");
        return Files.readString(folder.resolve("stats.json")).strip();
    }

    /** Returns how many sockets the proxy has. */
    private long sockets() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc", String.valueOf(proxy.process().pid()), "fd"))) {
            return all.filter(descriptor -> {
                try {
                    return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
                } catch (IOException e) {
                    return false;
                }
            }).count();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "stream --read-size 1", "seqpacket"})
    void tenThousandDescriptorsGoEachWayInOrder(String how) throws Exception {
        String[] words = how.split(" ");
        start(words[0], List.of(words).subList(1, words.length).toArray(new String[0]));
        try (Program peer = peer("descriptors.py", words[0], DESCRIPTORS)) {
            peer.awaitLine("^problems \\[]$");
            assertEquals(0, peer.exitValue());
        }
        // Five bytes a message, and three descriptors on average.
        int bytes = 5 * messages(DESCRIPTORS);
        assertEquals(String.format(
                "{\"connections\": 1, \"bytesUp\": %d, \"bytesDown\": %d, \"fdsUp\": %d, \"fdsDown\": %d}",
                bytes, bytes, DESCRIPTORS, DESCRIPTORS), stats());
        Evidence.of("CPython", DESCRIPTORS + " descriptors each way through the proxy, " + how);
    }

    /** Returns in how many messages the script sends this many descriptors: two, three, four, five, one, and so on. */
    private static int messages(int descriptors) {
        int count = 0;
        for (int left = descriptors, size = 1; left > 0; left -= size, count++) {
            size = Math.min(size % 5 + 1, left);
        }
        return count;
    }

    @Test
    void descriptorsArriveWithTheByteThatTheyWereSentWith() throws Exception {
        start("stream");
        try (Program peer = peer("positions.py", "stream")) {
            String sent = peer.awaitLine("^sent (.*)").group(1);
            assertEquals(sent, peer.awaitLine("^arrived (.*)").group(1));
        }
        Evidence.of("CPython", "the byte of a descriptor through the proxy");
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "seqpacket"})
    void connectionsEndAsTheyDoWithoutAProxy(String type) throws Exception {
        start(type);
        long before = sockets();
        try (Program peer = peer("ends.py", type)) {
            peer.awaitLine("one_that_nobody_serves_is_closed");
            assertEquals(0, peer.exitValue());
        }
        proxy.awaitLine("closing a connection: connect " + type + " .*upstream: ECONNREFUSED");
        assertTimeoutPreemptively(Duration.ofSeconds(120), () -> {
            while (sockets() != before) {
                LockSupport.parkNanos(1_000_000);
            }
        }, "sockets of connections that have ended");
        Evidence.of("CPython", "how connections end through the proxy, " + type);
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "seqpacket"})
    void nothingFollowsAMessageThatTheUpstreamDidNotTake(String type) throws Exception {
        start(type);
        try (Program peer = peer("hole.py", type, proxy.process().pid())) {
            String line = peer.awaitLine("^(nothing behind it|left out: .*)$").group();
            if (line.startsWith("left out")) {
                throw new TestAbortedException(line);
            }
            assertEquals(0, peer.exitValue());
        }
        if (type.equals("seqpacket")) {
            // On a stream, the transport itself ends the output.
            proxy.awaitLine("closing a connection: write seqpacket .*EPERM");
        }
        Evidence.of("CPython", "nothing follows a message that the proxy could not forward, " + type);
    }

    @ParameterizedTest
    @ValueSource(strings = {"seqpacket", "datagram"})
    void recordsOfEveryLengthStayWhatTheyAre(String type) throws Exception {
        start(type);
        String sum;
        try (Program peer = peer("records.py", type)) {
            Matcher sums = peer.awaitLine("^bytes (\\d+) fds (\\d+) longest (\\d+)");
            assertTrue(Integer.parseInt(sums.group(3)) > 1 << 20, sums::group);
            sum = String.format(
                    "{\"connections\": 1, \"bytesUp\": %1$s, \"bytesDown\": %1$s, \"fdsUp\": %2$s, \"fdsDown\": %2$s}",
                    sums.group(1), sums.group(2));
            assertEquals(0, peer.exitValue());
        }
        assertEquals(sum, stats());
        Evidence.of("CPython", "records through the proxy, " + type);
    }

    @Test
    void eachSenderOfDatagramsGetsItsOwnAnswers() throws Exception {
        start("datagram", "--idle", "1");
        try (Program peer = peer("datagrams.py", "datagram")) {
            peer.awaitLine("^answers \\[300, 300, 300]$");
            peer.awaitLine("^nameless nobody$");
            peer.awaitLine("^told that one has gone$");
            peer.awaitLine("^after a silence to after True$");
            peer.awaitLine("^found (lost|again)$");
            assertEquals(0, peer.exitValue());
        }
        Evidence.of("CPython", "clients of a datagram server through the proxy");
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "seqpacket"})
    void aReaderThatDoesNotReadMakesItsWriterWait(String type) throws Exception {
        start(type);
        try (Program peer = peer("slow_reader.py", type)) {
            peer.awaitLine("^waits$");
            peer.awaitLine("^bytes ");
            assertEquals(0, peer.exitValue());
        }
        Evidence.of("CPython", "a slow reader behind the proxy, " + type);
    }
}
