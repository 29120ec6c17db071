package io.github.nettyunix.memory;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixMetrics;
import io.github.nettyunix.UnixServerSharedMemoryChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.Python;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
        EventLoopGroup group = kinds[(int) (seed % kinds.length)].newGroup(2);
        try {
            Channel server = new ServerBootstrap().group(group).channel(UnixServerSharedMemoryChannel.class)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            Scribbled handler = new Scribbled(seed, otherThread, group);
                            handler.prepare(channel);
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
            check(accepted.take(), group, sent);
            server.close().sync();
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    private String again() {
        return "; again: ./verify --fire --seed " + seed;
    }

    private void check(Scribbled handler, EventLoopGroup group, String[] result) throws Exception {
        String again = again();
        try {
            handler.ended.get(LONGEST_CASE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            fail("the channel is open although its peer is gone, " + handler + again);
        }
        for (EventExecutor loop : group) {
            // What it still does for a channel that is closed.
            loop.submit(() -> { }).sync();
        }
        int sent = Integer.parseInt(result[1]);
        boolean hostile = result[2].equals("1");
        assertNull(handler.unexpected, () -> handler.unexpected + again);
        assertTrue(sent >= 0, "the peer has failed, " + handler + again);
        if (!handler.closedHere) {
            assertTrue(handler.unharmed >= sent, () -> "of " + sent + " records, " + handler.unharmed
                    + " have arrived as they were sent, then " + handler.harm + ", and " + handler.violation + again);
            if (!hostile) {
                assertNull(handler.violation, () -> handler.violation + again);
                checkPeer(handler, result[3].equals("1"), result[4].equals("1"));
                checkCounters(handler);
            }
        }
        if (!hostile) {
            checkWritten(handler, result[3].equals("1"), Integer.parseInt(result[5]), result[6]);
        }
        cases++;
        hostileCases += hostile ? 1 : 0;
        records += handler.unharmed;
    }

    /**
     * @param finished whether the peer has read everything, and has got an answer to its last record
     * @param unread whether it has left something unread
     */
    private void checkPeer(Scribbled handler, boolean finished, boolean unread) {
        assertNull(handler.harm, () -> handler.harm + again());
        assertTrue(!finished || !handler.reset, () -> "a peer that has read everything has reset" + again());
        assertTrue(!unread || handler.reset || handler.written.stream().anyMatch(Scribbled.Written::isLost),
                () -> "nothing says that the peer has left something unread" + again());
    }

    /** What the peer has got is what was written, except for what was cancelled. */
    private void checkWritten(Scribbled handler, boolean finished, int next, String missing) {
        Set<String> lost = Set.of(missing.split(","));
        List<Scribbled.Written> written = handler.written;
        for (int i = 0; i < written.size(); i++) {
            int number = i;
            ChannelFuture future = written.get(i).future();
            assertTrue(future.isDone(), () -> "the write of " + number + " has not completed" + again());
            if (number < next ? lost.contains(String.valueOf(number)) == future.isSuccess()
                    : finished && future.isSuccess()) {
                fail("the peer has got up to " + next + " records but " + missing + ", and of the write of " + number
                        + " the result is " + future + again());
            }
        }
    }

    private void checkCounters(Scribbled handler) {
        UnixMetrics metrics = UnixTransport.metrics(handler.channel);
        List<Scribbled.Written> taken = handler.written.stream().filter(one -> one.future().isSuccess()).toList();
        long last = handler.answered ? 1 : 0;
        assertEquals(List.of(
                "sent " + (taken.size() + last),
                "with bytes " + (taken.stream().mapToLong(Scribbled.Written::length).sum() + 8 * last),
                "with descriptors " + taken.stream().mapToLong(Scribbled.Written::descriptors).sum(),
                "received " + (handler.unharmed + last),
                "with bytes " + handler.unharmedBytes,
                "with descriptors " + handler.unharmedDescriptors), List.of(
                "sent " + metrics.messagesSent(),
                "with bytes " + metrics.bytesSent(),
                "with descriptors " + metrics.fileDescriptorsSent(),
                "received " + metrics.messagesReceived(),
                "with bytes " + metrics.bytesReceived(),
                "with descriptors " + metrics.fileDescriptorsReceived()), () -> "what was counted" + again());
    }
}
