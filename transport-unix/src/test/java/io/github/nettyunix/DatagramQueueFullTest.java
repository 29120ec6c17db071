package io.github.nettyunix;

import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.LoopCpu;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What a sender does while its recipient, to which it is not connected, does not read. */
@ExtendWith(NothingLeft.class)
class DatagramQueueFullTest {
    /** More than the kernel keeps for a receiver. */
    private static final int MANY = 100 + queueLength();

    @TempDir
    private Path folder;
    private final Inbox inbox = new Inbox();
    private UnixDatagramChannel receiver;
    private UnixDatagramChannel sender;

    @BeforeEach
    void open() throws InterruptedException {
        receiver = (UnixDatagramChannel) Channels.client(SocketType.DATAGRAM, inbox).option(ChannelOption.AUTO_READ, false)
                .bind(UnixSocketAddress.of(folder.resolve("slow"))).sync().channel();
        sender = (UnixDatagramChannel) Channels.client(SocketType.DATAGRAM, new Inbox())
                .bind(UnixSocketAddress.of(folder.resolve("sender"))).sync().channel();
    }

    @AfterEach
    void close() throws InterruptedException {
        sender.close().sync();
        receiver.close().sync();
        Ends.settle(receiver);
        inbox.release();
    }

    private static int queueLength() {
        try {
            return Integer.parseInt(Files.readString(Path.of("/proc/sys/net/unix/max_dgram_qlen")).trim());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static UnixDatagramPacket packet(String text, UnixDatagramChannel to) {
        return new UnixDatagramPacket(Ends.buffer(text), to.localAddress());
    }

    /** The futures of many datagrams to the receiver, all of which have been tried. */
    private List<ChannelFuture> sendMany() throws InterruptedException {
        List<ChannelFuture> futures = new ArrayList<>(MANY);
        for (int i = 0; i < MANY; i++) {
            futures.add(sender.write(packet("" + i, receiver)));
        }
        sender.flush();
        Ends.settle(sender);
        return futures;
    }

    /** Writing takes turns with other tasks of the loop: waits until all is decided. */
    private static void await(List<ChannelFuture> futures) throws InterruptedException {
        for (ChannelFuture future : futures) {
            future.await();
        }
    }

    private static long successes(List<ChannelFuture> futures) {
        return futures.stream().filter(ChannelFuture::isSuccess).count();
    }

    @Test
    void waitingSenderIsIdleServesOthersAndSendsAllInOrder() throws Exception {
        Inbox otherInbox = new Inbox();
        UnixDatagramChannel other = (UnixDatagramChannel) Channels.client(SocketType.DATAGRAM, otherInbox)
                .bind(UnixSocketAddress.of(folder.resolve("other"))).sync().channel();
        List<Integer> completed = new ArrayList<>(MANY + 1);
        List<ChannelFuture> futures = sendMany();
        ChannelFuture last = sender.writeAndFlush(packet("passes", other));
        futures.add(last);
        for (int i = 0; i <= MANY; i++) {
            int number = i;
            futures.get(i).addListener(future -> completed.add(future.isSuccess() ? number : -1));
        }
        assertEquals("passes", Ends.text(otherInbox.take()));
        assertFalse(last.isDone());
        LoopCpu.assertIdle(sender.eventLoop());
        assertTrue(successes(futures) < MANY);
        receiver.config().setAutoRead(true);
        for (int i = 0; i < MANY; i++) {
            assertEquals("" + i, Ends.text(inbox.take()));
        }
        last.sync();
        Ends.settle(sender);
        for (int i = 0; i <= MANY; i++) {
            assertEquals(i, completed.get(i));
        }
        other.close().sync();
        Proof.of("itself", "a datagram sender waits for a full queue, under 5 % of a core; others get theirs meanwhile");
    }

    @Test
    void failingSenderNamesTheErrorAndGoesOn() throws Exception {
        sender.config().setOption(UnixSocketOption.DATAGRAM_QUEUE_FULL, DatagramQueueFull.FAIL);
        List<ChannelFuture> futures = sendMany();
        await(futures);
        long sent = successes(futures);
        assertTrue(sent > 0 && sent < MANY, () -> sent + " were sent");
        for (ChannelFuture future : futures.subList((int) sent, MANY)) {
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, future.cause());
            assertInstanceOf(IOException.class, error);
            assertEquals("EAGAIN", error.errnoName());
            assertEquals(receiver.localAddress(), error.address());
        }
        assertGoesOnAfter(sent);
        Proof.of("itself", "with FAIL a datagram that finds a full queue fails, and the channel goes on");
    }

    @Test
    void droppingSenderCountsAndGoesOn() throws Exception {
        sender.config().setOption(UnixSocketOption.DATAGRAM_QUEUE_FULL, DatagramQueueFull.DROP);
        List<ChannelFuture> futures = sendMany();
        await(futures);
        assertEquals(MANY, successes(futures));
        long dropped = sender.droppedMessages();
        assertTrue(dropped > 0 && dropped < MANY, () -> dropped + " were dropped");
        assertGoesOnAfter(MANY - dropped);
        Proof.of("itself", "with DROP a datagram that finds a full queue is dropped and counted");
    }

    private void assertGoesOnAfter(long sent) throws InterruptedException {
        receiver.config().setAutoRead(true);
        for (int i = 0; i < sent; i++) {
            assertEquals("" + i, Ends.text(inbox.take()));
        }
        sender.writeAndFlush(packet("after", receiver)).sync();
        assertEquals("after", Ends.text(inbox.take()));
    }
}
