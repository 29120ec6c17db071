package io.github.nettyunix;

import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.EachRow;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RawSocket;
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

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Of servers that race for one path, one has it afterwards. */
@ExtendWith(NothingLeft.class)
class SocketFileRaceTest {
    private static final int ROUNDS = Integer.getInteger("race.rounds", 200);

    @TempDir
    private Path folder;

    @EachRow({"STREAM, 2, true", "SEQPACKET, 2, true", "DATAGRAM, 2, true", "STREAM, 4, true", "STREAM, 2, false",
        "SEQPACKET, 4, false", "DATAGRAM, 4, false"})
    void justOneOfManyServersGetsAPath(SocketType type, int racers, boolean stale) throws Exception {
        Path path = folder.resolve("s");
        UnixSocketAddress address = UnixSocketAddress.of(path);
        for (int round = 0; round < ROUNDS; round++) {
            if (stale) {
                RawSocket.stale(type, path);
            }
            CyclicBarrier start = new CyclicBarrier(racers);
            List<ChannelFuture> binds = new ArrayList<>();
            for (int i = 0; i < racers; i++) {
                Channel channel = Channels.newBindable(type);
                // Neighbours in the group: each has a thread of its own.
                Loops.group().register(channel).sync();
                channel.config().setAutoRead(false);
                ChannelPromise bound = channel.newPromise();
                binds.add(bound);
                channel.eventLoop().execute(() -> {
                    try {
                        start.await();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
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
        Proof.of("itself", racers + " " + type + " servers that race for " + (stale ? "a stale" : "a free")
                + " path, 200 times: one wins each time");
    }

    @Test
    void folderThatAnotherKeepsLockedCanBeBoundInButNothingIsReplacedThere() throws Exception {
        Path stale = RawSocket.stale(SocketType.STREAM, folder.resolve("stale"));
        String script = """
                folder = os.open(sys.argv[1], os.O_RDONLY)
                fcntl.flock(folder, fcntl.LOCK_EX)
                print("locked")
                input()
                """;
        try (Python other = Python.run(script, folder)) {
            other.expect("locked");
            Channel free = Channels.register(new UnixServerStreamChannel());
            free.bind(UnixSocketAddress.of(folder.resolve("free"))).sync();
            free.close().sync();
            Channel refused = Channels.register(new UnixServerStreamChannel());
            assertEquals("bind stream " + stale + ": EADDRINUSE (Address already in use): another process keeps the directory locked",
                    Ends.failure(refused.bind(UnixSocketAddress.of(stale))).getMessage());
            assertTrue(Files.exists(stale));
            other.say("");
            other.succeed();
            refused.bind(UnixSocketAddress.of(stale)).sync();
            refused.close().sync();
        }
        Proof.of("CPython", "a folder that another process keeps locked does not stop a bind for ever");
    }

    /** Binds to its argument for every line that it reads, tells whether it could, and closes for the next line. */
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
        Proof.of("itself", "two processes that race for " + (stale ? "a stale" : "a free") + " path, 200 times: one wins each time");
    }

    /** Says something to all at once; their answers, sorted. */
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
