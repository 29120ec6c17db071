package io.github.nettyunix.examples.feed;

import io.github.nettyunix.examples.testing.Evidence;
import io.github.nettyunix.examples.testing.Program;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The publisher and each subscriber run in a process of their own. */
class FeedTest {
    private static final int FILLER = 16_000;
    private static final int BURST = 20;
    private static final int ENOUGH = 1000;

    @TempDir
    private Path folder;
    private String socket;
    private Program publisher;

    @BeforeEach
    void publish() throws Exception {
        socket = folder.resolve("feed.sock").toString();
        publisher = Program.example("feed", "publish", socket, "--backlog", "100000");
        publisher.awaitLine("^listening on " + socket + "$");
        publisher.awaitLine("^listening on " + socket + ".memory$");
    }

    @AfterEach
    void stop() {
        publisher.close();
    }

    private Program subscribe(String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("feed", "subscribe", socket));
        arguments.addAll(List.of(options));
        Program subscriber = Program.example(arguments.toArray(String[]::new));
        publisher.awaitLine("^subscribed: process " + subscriber.process().pid()
                + (List.of(options).contains("--socket") ? ", socket$" : ", shared memory$"));
        return subscriber;
    }

    private static String lines(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(n -> "line " + n + '\n').collect(Collectors.joining());
    }

    private static String records(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(n -> n + " line " + n + '\n').collect(Collectors.joining());
    }

    @Test
    void subscribersOfBothKindsReceiveEveryRecord() throws Exception {
        try (Program memory = subscribe(); Program records = subscribe("--socket");
             Program some = subscribe("--count", "3");
             Program socat = Program.start("socat", "-u", "UNIX-CONNECT:" + socket + ",socktype=5", "-")) {
            publisher.awaitLine("^subscribed: process " + socat.process().pid() + ", socket$");
            publisher.send(lines(1, 3));
            assertEquals(0, some.exitValue());
            assertEquals(records(1, 3), some.output());
            publisher.send(lines(4, 500)).endInput();
            assertEquals(0, publisher.exitValue(), publisher::toString);
            for (Program subscriber : List.of(memory, records)) {
                assertEquals(0, subscriber.exitValue(), subscriber::toString);
                assertEquals(records(1, 500) + "the feed has ended\n", subscriber.output());
            }
            assertEquals(0, socat.exitValue());
            assertEquals(records(1, 500), socat.output());
        }
        Evidence.of("socat", "a feed, beside subscribers through shared memory");
    }

    @Test
    void aSlowSubscriberIsDroppedAndDelaysNoOther() throws Exception {
        try (Program slow = subscribe(); Program quick = subscribe()) {
            signal("STOP", slow);
            String filler = "x".repeat(FILLER);
            int sent = 0;
            while (!publisher.output().contains("dropped")) {
                // Few enough for a subscriber that reads.
                publisher.send((filler + '\n').repeat(BURST));
                sent += BURST;
                quick.awaitLine("^" + sent + ' ' + filler);
                assertTrue(sent < ENOUGH, publisher::toString);
            }
            publisher.awaitLine("^dropped at record \\d+: process " + slow.process().pid() + ", shared memory$");
            signal("CONT", slow);
            publisher.awaitLine("^subscribed: process " + slow.process().pid() + ", shared memory$");
            // What was in the memory when it was dropped is not lost.
            publisher.send("last\n").endInput();
            int missed = Integer.parseInt(slow.awaitLine("^missed: (\\d+)$").group(1));
            slow.awaitLine("^" + (sent + 1) + " last$");
            assertEquals(0, slow.exitValue(), slow::toString);
            assertEquals(sent - missed, slow.output().lines().filter(line -> line.endsWith(filler)).count());
            assertTrue(missed > 0 && missed < sent - 60, () -> missed + " records were lost");
        }
    }

    private static void signal(String name, Program program) throws Exception {
        try (Program kill = Program.start("kill", "-" + name, String.valueOf(program.process().pid()))) {
            assertEquals(0, kill.exitValue(), kill::toString);
        }
    }
}
