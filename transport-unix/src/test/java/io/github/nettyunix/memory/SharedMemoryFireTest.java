package io.github.nettyunix.memory;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixServerSharedMemoryChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.Python;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/**
 * A peer that writes anything into the memory it shares, against a handler that does random things. For at least
 * {@code nettyunix.fire.seconds}, from the case {@code nettyunix.fire.seed} on; both decide on all that is random.
 */
@EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: Python has memory files only on Linux")
@OnlyWith(SocketType.SEQPACKET)
@ExtendWith(LeakCheckExtension.class)
class SharedMemoryFireTest {
    private static final int LONGEST_CASE_SECONDS = 55;

    private final BlockingQueue<Scribbled> accepted = new LinkedBlockingQueue<>();
    private final ScheduledExecutorService otherThread = Executors.newSingleThreadScheduledExecutor();
    private volatile long seed;
    private int cases;
    private int hostileCases;
    private long records;

    @Test
    @Timeout(value = 1, unit = TimeUnit.DAYS)
    void whateverThePeerWritesIntoTheMemory() throws Exception {
        long first = Long.getLong("nettyunix.fire.seed", 1);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.getLong("nettyunix.fire.seconds", 2));
        Descriptors before = Descriptors.now();
        UnixSocketAddress address = MemoryPeer.newAddress();
        String script;
        try (var resource = getClass().getResourceAsStream("/peers/scribble.py")) {
            script = new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        }
        try (Python python = MemoryPeer.run(address, script)) {
            for (seed = first; seed == first || System.nanoTime() < end; seed++) {
                run(python, address);
            }
            python.succeed();
        } finally {
            otherThread.shutdown();
            assertTrue(otherThread.awaitTermination(LONGEST_CASE_SECONDS, TimeUnit.SECONDS));
        }
        before.assertUnchanged();
        assertFalse(Files.readString(Path.of("/proc/self/maps")).contains("ring (deleted)"), "memory is still mapped");
        System.out.println(cases + " peers with shared memory, " + hostileCases + " of them hostile, " + records
                + " records; the next case is " + seed);
    }

    private void run(Python python, UnixSocketAddress address) throws Exception {
        SharedMemoryLoopsTest.Kind[] kinds = SharedMemoryLoopsTest.Kind.values();
        EventLoopGroup group = kinds[(int) (seed % kinds.length)].newGroup(1);
        try {
            Channel server = new ServerBootstrap().group(group).channel(UnixServerSharedMemoryChannel.class)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            Scribbled handler = new Scribbled(seed, otherThread);
                            channel.pipeline().addLast(handler);
                            accepted.add(handler);
                        }
                    }).bind(address).sync().channel();
            python.say(Long.toString(seed));
            String[] sent = python.line().split(" ");
            if (!sent[0].equals("sent")) {
                fail("the peer has " + String.join(" ", sent) + ", without a result" + again());
            }
            assertTrue(python.line().startsWith("ended"));
            check(accepted.take(), Integer.parseInt(sent[1]), sent[2].equals("1"));
            server.close().sync();
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    private String again() {
        return "; again: ./verify --fire --seed " + seed;
    }

    private void check(Scribbled handler, int sent, boolean hostile) throws Exception {
        String again = again();
        try {
            handler.ended.get(LONGEST_CASE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            fail("the channel is open although its peer is gone" + again);
        }
        assertNull(handler.unexpected, () -> handler.unexpected + again);
        assertTrue(sent >= 0, "the peer has failed" + again);
        if (!handler.closedHere) {
            assertTrue(handler.unharmed >= sent, () -> "of " + sent + " records, " + handler.unharmed
                    + " have arrived as they were sent, then " + handler.harm + ", and " + handler.violation + again);
            assertTrue(hostile || handler.violation == null, () -> handler.violation + again);
        }
        cases++;
        hostileCases += hostile ? 1 : 0;
        records += handler.unharmed;
    }
}
