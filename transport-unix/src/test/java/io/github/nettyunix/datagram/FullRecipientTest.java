package io.github.nettyunix.datagram;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.DatagramQueue;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.nio.channels.NotYetConnectedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a recipient that does not read, or reads slowly, costs the sender and the sender's other recipients. */
@Tag("once")
@ExtendWith(LeakCheckExtension.class)
class FullRecipientTest {
    @TempDir
    private Path folder;

    private final BlockingQueue<Boolean> writability = new LinkedBlockingQueue<>();
    private UnixSocketAddress stopped;
    private UnixSocketAddress reading;
    private Python python;
    private UnixDatagramChannel sender;

    /** Reads a number of datagrams, with a pause after each, and prints the last. */
    @BeforeEach
    void start() throws Exception {
        stopped = UnixSocketAddress.of(folder.resolve("stopped"));
        reading = UnixSocketAddress.of(folder.resolve("reading"));
        python = Python.run("""
                import time
                stopped, reading = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
                stopped.bind(sys.argv[1])
                reading.bind(sys.argv[2])
                print("ready")
                while line := sys.stdin.readline():
                    count, pause = line.split()
                    for number in range(int(count)):
                        data = reading.recv(100)
                        if float(pause):
                            time.sleep(float(pause))
                    print(data.decode())
                """, stopped.path(), reading.path());
        python.expect("ready");
        sender = (UnixDatagramChannel) Channels.client(SocketType.DATAGRAM, new RecordingHandler() {
            @Override
            public void channelWritabilityChanged(ChannelHandlerContext ctx) {
                writability.add(ctx.channel().isWritable());
            }
        }).option(ChannelOption.SO_SNDBUF, DatagramQueue.SEND_BUFFER).register().sync().channel();
    }

    @AfterEach
    void stop() throws Exception {
        python.close();
        sender.close().sync();
    }

    private ChannelFuture send(UnixSocketAddress to, String text, UnixFileDescriptor... fds) {
        return sender.writeAndFlush(new UnixDatagramPacket(ChannelPair.buffer(text), to, fds));
    }

    private List<ChannelFuture> fill() {
        List<ChannelFuture> writes = new ArrayList<>();
        for (int i = 0; i < DatagramQueue.TOO_MANY; i++) {
            writes.add(send(stopped, "message " + i));
        }
        return writes;
    }

    @Test
    void anUnboundSenderNeedsANameNoMoreThanItNeedsAPeer() throws Exception {
        assertFalse(sender.isActive());
        send(reading, "hello").sync();
        python.say("1 0");
        python.expect("hello");
        assertInstanceOf(NotYetConnectedException.class,
                ChannelPair.failure(sender.writeAndFlush(ChannelPair.buffer("to nobody"))));
        assertFalse(sender.isActive());
        assertTrue(sender.isOpen());
        Evidence.of("CPython", "a datagram channel that is not bound sends to whom a packet names");
    }

    @Test
    void aDescriptorIsClosedOnceItIsSentEvenIfEarlierDatagramsWait() throws Exception {
        List<ChannelFuture> waiting = fill();
        UnixFileDescriptor[] fds = Descriptors.some(3);
        ChannelFuture passed = send(reading, "passed", fds);
        python.say("1 0");
        python.expect("passed");
        ChannelPair.settle(sender);
        assertFalse(waiting.get(waiting.size() - 1).isDone());
        assertFalse(passed.isDone(), "promises complete in the order of the queue");
        assertEquals(0, Descriptors.countOpen(fds));
        sender.close().sync();
        assertTrue(passed.await().isSuccess(), "it was sent");
        Evidence.of("CPython", "a descriptor that has passed others is closed here when it was sent");
    }

    @Test
    void aRecipientThatHasStoppedCannotStopTheChannel() throws Exception {
        assertEquals(30_000, sender.config().getOption(UnixSocketOption.DATAGRAM_WAIT_MILLIS));
        // Longer than the scheduler may keep the reader waiting: datagrams to it must not fail.
        assertTrue(sender.config().setOption(UnixSocketOption.DATAGRAM_WAIT_MILLIS, 3000));
        List<ChannelFuture> waiting = fill();
        // A writer that respects the watermark.
        List<ChannelFuture> others = new ArrayList<>();
        python.say("2000 0");
        for (int i = 0; i < 2000; i++) {
            while (!sender.isWritable()) {
                assertNotEquals(null, writability.poll(10, TimeUnit.SECONDS), "the channel has stopped");
            }
            others.add(send(reading, "other " + i));
            if (i % 50 == 0) {
                ChannelPair.settle(sender);
            }
        }
        python.expect("other 1999");
        for (ChannelFuture other : others) {
            assertTrue(other.await(10, TimeUnit.SECONDS) && other.isSuccess());
        }
        UnixSocketError error =
                assertInstanceOf(UnixSocketError.class, ChannelPair.failure(waiting.get(waiting.size() - 1)));
        assertEquals("EAGAIN", error.errnoName());
        assertEquals(stopped, error.address());
        assertTrue(waiting.get(0).isSuccess());
        Evidence.of("CPython", "a datagram recipient that has stopped cannot stop its sender for longer than "
                + "DATAGRAM_WAIT_MILLIS");
    }

    @Test
    void aConnectedPeerThatHasStoppedCannotStopTheChannelEither() throws Exception {
        assertTrue(sender.config().setOption(UnixSocketOption.DATAGRAM_WAIT_MILLIS, 200));
        sender.connect(stopped).sync();
        ChannelFuture last = null;
        for (int i = 0; i < DatagramQueue.TOO_MANY; i++) {
            last = sender.writeAndFlush(ChannelPair.buffer("message"));
        }
        assertEquals("EAGAIN", assertInstanceOf(UnixSocketError.class, ChannelPair.failure(last)).errnoName());
        ChannelFuture other = send(reading, "other");
        assertTrue(other.await(10, TimeUnit.SECONDS) && other.isSuccess());
    }

    @Test
    void aSlowButSteadyReaderCostsItsSenderLittle() throws Exception {
        int count = 4000;
        for (int i = 0; i < count; i++) {
            sender.write(new UnixDatagramPacket(ChannelPair.buffer("message " + i), reading));
        }
        python.say(count + " 0.001");
        sender.flush();
        LoopCpu.assertIdle(sender.eventLoop());
        python.expect("message " + (count - 1));
        Evidence.of("CPython", "a reader of 1000 datagrams a second costs its sender less than 5 % of a processor");
    }

    @Test
    void aRecipientThatHasStoppedDelaysNoOther() throws Exception {
        fill();
        // The attempts to reach it are 100 ms apart by now.
        LoopCpu.assertIdle(sender.eventLoop());
        int count = 20_000;
        python.say(count + " 0");
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            sender.write(new UnixDatagramPacket(ChannelPair.buffer("message " + i), reading));
        }
        sender.flush();
        python.expect("message " + (count - 1));
        // A wait of 100 ms per full queue would take minutes.
        assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(10));
        Evidence.of("CPython", "a datagram recipient that has stopped delays no other");
    }

    /**
     * The reader is on the sender's loop, so that only the sender's own delays take time. Each burst begins when the
     * previous one has arrived: as long as possible before the next attempt to reach the stopped recipient.
     */
    @Test
    void aRecipientAtWorkIsNotWaitedForAsLongAsOneThatHasStopped() throws Exception {
        fill();
        // The attempts to reach it are 100 ms apart by now.
        LoopCpu.assertIdle(sender.eventLoop());
        int bursts = 6;
        UnixSocketAddress near = UnixSocketAddress.of(folder.resolve("near"));
        BlockingQueue<Long> durations = new LinkedBlockingQueue<>();
        UnixDatagramChannel reader = new UnixDatagramChannel();
        reader.pipeline().addLast(new SimpleChannelInboundHandler<Object>() {
            // The end of a burst fits into the queue once the first datagrams have been read.
            private static final int BURST = DatagramQueue.TOO_MANY - 20;
            private int received;
            private long start;

            @Override
            public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                start = System.nanoTime();
                for (int i = 0; i < BURST; i++) {
                    sender.write(new UnixDatagramPacket(ChannelPair.buffer("message"), near));
                }
                sender.flush();
            }

            @Override
            protected void channelRead0(ChannelHandlerContext ctx, Object packet) {
                if (++received % BURST == 0) {
                    durations.add(System.nanoTime() - start);
                    if (received < bursts * BURST) {
                        ctx.executor().execute(() -> ctx.pipeline().fireUserEventTriggered("next"));
                    }
                }
            }
        });
        sender.eventLoop().register(reader).sync();
        reader.bind(near).sync();
        reader.pipeline().fireUserEventTriggered("first");
        // How long the first burst has to wait depends on when it began.
        assertNotEquals(null, durations.poll(10, TimeUnit.SECONDS));
        long fastest = Long.MAX_VALUE;
        for (int i = 1; i < bursts; i++) {
            Long duration = durations.poll(10, TimeUnit.SECONDS);
            assertNotEquals(null, duration);
            fastest = Math.min(fastest, duration);
        }
        assertTrue(fastest < TimeUnit.MILLISECONDS.toNanos(50), "each burst took at least " + fastest + " ns");
        reader.close().sync();
    }
}
