package io.github.nettyunix.bind;

import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.endpoint.SocketFile;
import io.github.nettyunix.internal.socket.SocketFiles;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.Types;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Of servers that race for one path, exactly one gets it. */
@Tag("library")
@ExtendWith(LeakCheckExtension.class)
class SocketFileRaceTest {
    private static final int ROUNDS = Integer.getInteger("race.rounds", 200);

    /** Each waits for the lock, and does not get it. */
    private static final int LOCKED_ROUNDS = ROUNDS / 4;

    @TempDir
    private Path folder;

    @EachRow({"STREAM, 2, true", "SEQPACKET, 2, true", "DATAGRAM, 2, true", "STREAM, 4, true", "STREAM, 2, false",
        "SEQPACKET, 4, false", "DATAGRAM, 4, false"})
    void justOneOfManyServersGetsAPath(SocketType type, int racers, boolean stale) throws Exception {
        race(type, racers, stale, ROUNDS);
        Evidence.of("itself", racers + " " + type + " servers that race for " + (stale ? "a stale" : "a free")
                + " path, 200 times: one wins each time");
    }

    private void race(SocketType type, int racers, boolean stale, int rounds) throws Exception {
        Path path = folder.resolve("s");
        UnixSocketAddress address = UnixSocketAddress.of(path);
        for (int round = 0; round < rounds; round++) {
            if (stale) {
                RawSocket.stale(type, path);
            }
            CyclicBarrier start = new CyclicBarrier(racers);
            List<ChannelFuture> binds = new ArrayList<>();
            for (int i = 0; i < racers; i++) {
                Channel channel = Channels.newBindable(type);
                // Neighbours in the group, so that each has a thread of its own.
                Loops.group().register(channel).sync();
                channel.config().setAutoRead(false);
                ChannelPromise bound = channel.newPromise();
                binds.add(bound);
                channel.eventLoop().execute(() -> {
                    awaitOthers(start);
                    channel.bind(address, bound);
                });
            }
            int winners = 0;
            for (ChannelFuture bind : binds) {
                bind.await();
                if (bind.isSuccess()) {
                    winners++;
                } else {
                    assertInstanceOf(BindException.class, bind.cause());
                }
            }
            assertEquals(1, winners, "winners in round " + round);
            try (RawSocket client = RawSocket.of(type)) {
                assertEquals(0, client.connect(address.bytes()));
            }
            for (ChannelFuture bind : binds) {
                bind.channel().close().sync();
            }
            assertFalse(Files.exists(path));
        }
    }

    /** As {@code flock /run/app java ...} does, or anyone who may read the folder. */
    @Test
    void folderThatAnotherProcessKeepsLockedDelaysNobody() throws Exception {
        String script = """
                folder = os.open(sys.argv[1], os.O_RDONLY)
                fcntl.flock(folder, fcntl.LOCK_EX)
                print("locked")
                input()
                """;
        try (Python other = Python.run(script, folder)) {
            other.expect("locked");
            long fastest = Long.MAX_VALUE;
            for (int i = 0; i < 20; i++) {
                Path stale = RawSocket.stale(SocketType.STREAM, folder.resolve("stale"));
                Channel server = server();
                long millis = server.eventLoop().submit(() -> {
                    long start = System.nanoTime();
                    ChannelFuture bound = server.bind(UnixSocketAddress.of(stale));
                    assertNull(bound.cause());
                    return (System.nanoTime() - start) / 1_000_000;
                }).get();
                fastest = Math.min(fastest, millis);
                try (RawSocket client = RawSocket.of(SocketType.STREAM)) {
                    assertEquals(0, client.connect(UnixSocketAddress.of(stale).bytes()));
                }
                Channel refused = Channels.register(new UnixServerStreamChannel());
                assertEquals("bind stream " + stale + ": EADDRINUSE (Address already in use): there is a live socket",
                        ChannelPair.failure(refused.bind(UnixSocketAddress.of(stale))).getMessage());
                refused.close().sync();
                server.close().sync();
                assertFalse(Files.exists(stale));
            }
            // The machine may be busy, but not in every round.
            assertTrue(fastest < 50, "each bind took at least " + fastest + " ms");
            other.say("");
            other.succeed();
        }
        Evidence.of("CPython", "a folder that another process keeps locked holds up nobody");
    }

    @Test
    void justOneOfTwoServersGetsAPathWhereNoneGetsTheLock() throws Exception {
        try (UnixFileDescriptor lock = UnixFileDescriptor.open(folder)) {
            assertEquals(0, SocketFiles.lock(lock.intValue()));
            for (SocketType type : SocketType.values()) {
                if (Types.apply(type)) {
                    race(type, 2, true, LOCKED_ROUNDS);
                }
            }
        }
    }

    /** The old server closes while the new one takes its path over. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void closeLeavesTheFileOfTheServerThatTakesOver(boolean locked) throws Exception {
        Path path = folder.resolve("s");
        UnixSocketAddress address = UnixSocketAddress.of(path);
        try (UnixFileDescriptor lock = UnixFileDescriptor.open(folder)) {
            if (!locked) {
                assertEquals(0, SocketFiles.lock(lock.intValue()));
            }
            Channel current = server();
            current.bind(address).sync();
            for (int round = 0; round < (locked ? ROUNDS * 5 : LOCKED_ROUNDS * 2); round++) {
                Channel next = server();
                next.config().setOption(UnixSocketOption.SOCKET_FILE, SocketFilePolicy.takeOver());
                CyclicBarrier start = new CyclicBarrier(2);
                Channel old = current;
                ChannelPromise bound = next.newPromise();
                ChannelPromise closed = old.newPromise();
                next.eventLoop().execute(() -> {
                    awaitOthers(start);
                    next.bind(address, bound);
                });
                old.eventLoop().execute(() -> {
                    awaitOthers(start);
                    old.close(closed);
                });
                bound.sync();
                closed.sync();
                try (RawSocket client = RawSocket.of(SocketType.STREAM)) {
                    assertEquals(0, client.connect(address.bytes()), "errno of a client in round " + round);
                }
                current = next;
            }
            current.close().sync();
        }
        assertFalse(Files.exists(path));
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
        Evidence.of("itself", "a server that closes while another takes its path over leaves the other's file, "
                + (locked ? "with" : "without") + " the folder's lock");
    }

    /** Does what a server does that was interrupted between checking the path and removing the file: the removal. */
    @Test
    void removalPutsBackWhatHasTakenThePlaceOfTheFile() throws Exception {
        Path path = folder.resolve("s");
        Channel old = server();
        old.bind(UnixSocketAddress.of(path)).sync();
        SocketFile.Status looked = SocketFile.Status.of(UnixSocketAddress.of(path));
        Files.move(path, folder.resolve("moved"));
        Channel other = server();
        other.bind(UnixSocketAddress.of(path)).sync();
        assertEquals(0, SocketFile.remove(SocketType.STREAM, UnixSocketAddress.of(path), looked, false));
        try (RawSocket client = RawSocket.of(SocketType.STREAM)) {
            assertEquals(0, client.connect(UnixSocketAddress.of(path).bytes()));
        }
        other.close().sync();
        Files.writeString(path, "precious");
        old.close().sync();
        assertEquals("precious", Files.readString(path));
    }

    /** Returns a server that is registered on the next loop of the group and accepts nothing. */
    private static Channel server() throws InterruptedException {
        Channel server = Loops.group().register(new UnixServerStreamChannel()).sync().channel();
        server.config().setAutoRead(false);
        return server;
    }

    private static void awaitOthers(CyclicBarrier start) {
        try {
            start.await();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Binds to its argument on one line of input and prints whether it could; closes on the next line. */
    static final class Racer {
        public static void main(String[] arguments) throws Exception {
            UnixSocketAddress address = UnixSocketAddress.of(arguments[0]);
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            System.out.println("ready");
            while (in.readLine() != null) {
                Channel channel = Channels.register(new UnixServerStreamChannel());
                System.out.println(channel.bind(address).await().isSuccess() ? "won" : "lost");
                in.readLine();
                channel.close().sync();
                System.out.println("closed");
            }
            System.exit(0);
        }
    }

    @Tag("once")
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void justOneOfTwoProcessesGetsAPath(boolean stale) throws Exception {
        Path path = folder.resolve("s");
        List<String> command = new ArrayList<>(Jvm.command(Racer.class));
        command.add(path.toString());
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        List<Process> racers = List.of(builder.start(), builder.start());
        try {
            for (Process racer : racers) {
                assertEquals("ready", racer.inputReader().readLine());
            }
            for (int round = 0; round < ROUNDS; round++) {
                if (stale) {
                    RawSocket.stale(SocketType.STREAM, path);
                }
                assertEquals(List.of("lost", "won"), tell(racers), "in round " + round);
                assertEquals(List.of("closed", "closed"), tell(racers));
                assertFalse(Files.exists(path));
            }
            for (Process racer : racers) {
                racer.outputWriter().close();
                assertEquals(0, racer.waitFor());
                racer.inputReader().close();
            }
        } finally {
            racers.forEach(Process::destroyForcibly);
        }
        Evidence.of("itself", "two processes that race for " + (stale ? "a stale" : "a free")
                + " path, 200 times: one wins each time");
    }

    /** Sends a line to all at once, and returns their sorted answers. */
    private static List<String> tell(List<Process> racers) throws IOException {
        for (Process racer : racers) {
            racer.outputWriter().append('\n').flush();
        }
        List<String> answers = new ArrayList<>();
        for (Process racer : racers) {
            answers.add(racer.inputReader().readLine());
        }
        answers.sort(null);
        return answers;
    }
}
