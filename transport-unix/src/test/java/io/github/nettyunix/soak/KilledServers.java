package io.github.nettyunix.soak;

import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;

import java.io.BufferedReader;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Servers of ours are killed while Python sends to them and reads their answers. A JVM takes long to start, so each one
 * has a hundred connections of every kind. What it had answered arrives, its successor takes over its socket files,
 * and Python has nothing left open.
 */
final class KilledServers implements Run {
    static final int CONNECTIONS = 100;
    /** Of Python, in kB; it frees little of what it has once used. */
    private static final int MORE_RESIDENT = 4096;
    private static final int MORE_MAPPINGS = 16;

    /** The process that is killed. Its arguments are addresses. */
    static final class Victim {
        private Victim() {
        }

        public static void main(String[] arguments) throws Exception {
            Traffic traffic = new Traffic(true) {
                @Override
                void abort() {
                    System.exit(1);
                }
            };
            for (int i = 0; i < arguments.length; i += 2) {
                Kind kind = Kind.valueOf(arguments[i]);
                traffic.bind(kind, address(arguments[i + 1]), () -> new Answers(traffic));
            }
            System.out.println("ready");
            // Ends if the test does.
            while (System.in.read() >= 0) {
                Thread.onSpinWait();
            }
            System.exit(0);
        }

        private static UnixSocketAddress address(String hex) {
            return UnixSocketAddress.ofBytes(HexFormat.of().parseHex(hex));
        }
    }

    /** @param count how many connections of each kind, a multiple of {@link #CONNECTIONS} or less than that */
    @Override
    public String run(int count) throws Exception {
        List<Kind> kinds = Kind.supported();
        int connections = Math.min(CONNECTIONS, count);
        int rounds = count / connections;
        long messages = 0;
        try (Traffic traffic = new Traffic(true)) {
            List<String> arguments = new ArrayList<>();
            for (Kind kind : kinds) {
                arguments.addAll(List.of(kind.name(), Traffic.hex(traffic.address(kind))));
            }
            Python python = traffic.start("outlive", arguments.toArray());
            String[] first = null;
            String[] last = null;
            for (int i = 0; i < rounds; i++) {
                last = killServer(python, connections, arguments).split(" ");
                first = first == null ? last : first;
                messages += Long.parseLong(last[0]);
            }
            python.succeed();
            assertEquals(first[1], last[1], "descriptors of the peer");
            assertTrue(more(first, last, 2) <= MORE_MAPPINGS, () -> "mappings of the peer");
            assertTrue(more(first, last, 3) <= MORE_RESIDENT, () -> "memory of the peer");
            // The files of the sockets of the last one, which nobody has closed.
            for (Kind kind : kinds) {
                traffic.bind(kind, traffic.address(kind), () -> new Answers(traffic)).close().sync();
            }
            traffic.end();
        }
        return rounds + " killed with " + connections + " connections of each kind, " + messages
                + " answers received";
    }

    private static int more(String[] first, String[] last, int column) {
        return Integer.parseInt(last[column]) - Integer.parseInt(first[column]);
    }

    private static String killServer(Python python, int connections, List<String> arguments) throws Exception {
        List<String> command = Jvm.command(Victim.class, "-Xmx128m", "-Dnettyunix.test.selector=" + Loops.selector());
        command.addAll(arguments);
        Process victim = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
        try (BufferedReader out = victim.inputReader()) {
            assertEquals("ready", out.readLine());
            python.say(victim.pid() + " " + connections);
            String line = python.line();
            assertEquals(128 + 9, victim.waitFor(), "the exit status of a process that was killed");
            victim.getOutputStream().close();
            return line;
        } finally {
            victim.destroyForcibly();
        }
    }
}
