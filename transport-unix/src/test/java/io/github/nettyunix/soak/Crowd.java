package io.github.nettyunix.soak;

import io.github.nettyunix.testing.DescriptorLimit;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;

import java.io.BufferedReader;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Connections to servers of ours that are open at once, with a message each way while they are. Half of the processes
 * that have connected are then killed, the other half ends. If this process may not have so many descriptors, others
 * with the same servers have the rest.
 */
final class Crowd implements Run {
    private static final int OTHER_DESCRIPTORS = 300;
    private static final int PER_PEER = 5_000;
    /** A limit of 4 096, which is common, is enough for what is to be shown. */
    private static final int MOST_PROCESSES = 6;

    private final AtomicInteger open = new AtomicInteger();

    private final class Server extends Answers {
        Server(Traffic traffic) {
            super(traffic);
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            open.incrementAndGet();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            open.decrementAndGet();
        }
    }

    /** Another process that has a part of the connections. */
    private static final class Elsewhere {
        private final Process process;
        private final BufferedReader out;

        Elsewhere(int count) throws IOException {
            List<String> command = Jvm.command(Crowd.class, "-Xmx256m",
                    "-Dnettyunix.test.selector=" + Loops.selector());
            command.add("" + count);
            process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
            out = process.inputReader();
        }

        void awaitOpen() throws IOException {
            assertEquals("open", out.readLine());
        }

        void end() throws IOException, InterruptedException {
            process.getOutputStream().close();
            assertEquals(0, process.waitFor());
            out.close();
        }
    }

    /** Has a number of connections until its input ends. */
    public static void main(String[] arguments) throws Exception {
        new Crowd().hold(Integer.parseInt(arguments[0]), () -> {
            System.out.println("open");
            while (System.in.read() >= 0) {
                Thread.onSpinWait();
            }
        });
        System.exit(0);
    }

    /** What is done while all are open. */
    @FunctionalInterface
    private interface Whilst {
        void run() throws Exception;
    }

    @Override
    public String run(int count) throws Exception {
        int most = DescriptorLimit.raise(count + OTHER_DESCRIPTORS) - OTHER_DESCRIPTORS;
        int here = Math.min(count, most);
        List<Elsewhere> elsewhere = new ArrayList<>();
        int all = here;
        while (all < count && elsewhere.size() + 1 < MOST_PROCESSES) {
            int part = Math.min(count - all, most);
            elsewhere.add(new Elsewhere(part));
            all += part;
        }
        hold(here, () -> {
            for (Elsewhere other : elsewhere) {
                other.awaitOpen();
            }
        });
        for (Elsewhere other : elsewhere) {
            other.end();
        }
        assertEquals(count, all, () -> "RLIMIT_NOFILE is " + (most + OTHER_DESCRIPTORS) + ", and may not be raised");
        return count + " open at once"
                + (elsewhere.isEmpty() ? "" : ", of which " + (all - here) + " in another process");
    }

    private void hold(int count, Whilst whilst) throws Exception {
        List<Kind> kinds = new ArrayList<>(Kind.supported());
        kinds.retainAll(Set.of(Kind.STREAM, Kind.SEQPACKET));
        // Some of the connections are reset.
        try (Traffic traffic = new Traffic(true)) {
            List<Channel> servers = new ArrayList<>();
            for (Kind kind : kinds) {
                servers.add(traffic.bind(kind, traffic.address(kind), () -> new Server(traffic)));
            }
            List<Python> peers = new ArrayList<>();
            for (int left = count, part; left > 0; left -= part) {
                part = Math.min((left + 1) / 2, PER_PEER);
                Kind kind = kinds.get(peers.size() % kinds.size());
                peers.add(traffic.start("crowd", kind, Traffic.hex(traffic.address(kind)), part));
            }
            for (Python peer : peers) {
                peer.expect("open");
            }
            assertEquals(count, open.get());
            whilst.run();
            for (int i = 0; i < peers.size(); i++) {
                if (i % (2 * kinds.size()) < kinds.size()) {
                    peers.get(i).close();
                } else {
                    peers.get(i).say("leave");
                    peers.get(i).succeed();
                }
            }
            traffic.await(() -> open.get() == 0, "connections have not ended");
            for (Channel server : servers) {
                server.close().sync();
            }
            traffic.end();
        }
    }
}
