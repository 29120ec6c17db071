package io.github.nettyunix.datagram;

import io.github.nettyunix.DatagramQueueFull;
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
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A recipient that does not read does not delay datagrams to others, and loses none unless the policy says so. */
@ExtendWith(LeakCheckExtension.class)
class DatagramQueueFullTest {
    private static final int COUNT = DatagramQueue.TOO_MANY;

    @TempDir
    private Path folder;

    private final RecordingHandler slowInbox = new RecordingHandler();
    private final RecordingHandler quickInbox = new RecordingHandler();
    private UnixDatagramChannel slow;
    private UnixDatagramChannel quick;
    private UnixDatagramChannel sender;

    @BeforeEach
    void start() throws Exception {
        slow = Channels.register(new UnixDatagramChannel(), slowInbox);
        slow.config().setAutoRead(false);
        slow.bind(UnixSocketAddress.of(folder.resolve("slow"))).sync();
        quick = Channels.register(new UnixDatagramChannel(), quickInbox);
        quick.bind(UnixSocketAddress.of(folder.resolve("quick"))).sync();
        sender = newSender("sender");
    }

    @AfterEach
    void stop() throws Exception {
        for (Channel channel : List.of(sender, slow, quick)) {
            channel.close().sync();
            ChannelPair.settle(channel);
        }
        slowInbox.release();
        quickInbox.release();
    }

    private UnixDatagramChannel newSender(String name) throws Exception {
        return (UnixDatagramChannel) Channels.client(SocketType.DATAGRAM, new RecordingHandler())
                .option(ChannelOption.SO_SNDBUF, DatagramQueue.SEND_BUFFER)
                .bind(UnixSocketAddress.of(folder.resolve(name))).sync().channel();
    }

    private void policy(DatagramQueueFull policy) {
        assertTrue(sender.config().setOption(UnixSocketOption.DATAGRAM_QUEUE_FULL, policy));
    }

    private static UnixDatagramPacket packet(Channel to, String text, UnixFileDescriptor... fds) {
        return new UnixDatagramPacket(ChannelPair.buffer(text), (UnixSocketAddress) to.localAddress(), fds);
    }

    private ChannelFuture write(Channel to, String text, UnixFileDescriptor... fds) {
        return sender.write(packet(to, text, fds));
    }

    private List<ChannelFuture> flood(Channel to) {
        List<ChannelFuture> writes = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            writes.add(write(to, "message " + i));
        }
        sender.flush();
        return writes;
    }

    private static void assertAllArrive(RecordingHandler inbox, List<ChannelFuture> writes) throws Exception {
        for (int i = 0; i < writes.size(); i++) {
            assertEquals("message " + i, ChannelPair.text(inbox.take(Object.class)));
        }
        for (ChannelFuture write : writes) {
            write.sync();
        }
    }

    @Test
    void datagramsToOthersPassThoseThatWaitAndTheOrderIsKept() throws Exception {
        policy(DatagramQueueFull.WAIT);
        List<Integer> completed = new ArrayList<>();
        List<ChannelFuture> toSlow = flood(slow);
        List<ChannelFuture> toQuick = flood(quick);
        List<ChannelFuture> all = new ArrayList<>(toSlow);
        all.addAll(toQuick);
        for (int i = 0; i < all.size(); i++) {
            int index = i;
            all.get(i).addListener(done -> completed.add(index));
        }
        for (int i = 0; i < COUNT; i++) {
            assertEquals("message " + i, ChannelPair.text(quickInbox.take()));
        }
        assertFalse(toSlow.get(COUNT - 1).isDone());
        write(quick, "later");
        sender.flush();
        assertEquals("later", ChannelPair.text(quickInbox.take()));

        slow.config().setAutoRead(true);
        assertAllArrive(slowInbox, toSlow);
        toQuick.get(COUNT - 1).sync();
        ChannelPair.settle(sender);
        List<Integer> sorted = completed.stream().sorted().toList();
        assertEquals(sorted, completed);
        assertEquals(2 * COUNT, completed.size());
        assertEquals(0, sender.eventLoop().submit((Callable<Long>) sender::droppedMessages).get());
        Evidence.of("itself", "a datagram sender waits for a full queue, others' datagrams pass, none is lost");
    }

    @Test
    void aRecipientThatHasStoppedCostsNoProcessorWhateverThePolicy() throws Exception {
        List<Channel> senders = new ArrayList<>();
        for (DatagramQueueFull policy : DatagramQueueFull.values()) {
            UnixDatagramChannel each = newSender(policy.name());
            assertTrue(each.config().setOption(UnixSocketOption.DATAGRAM_QUEUE_FULL, policy));
            for (int i = 0; i < COUNT; i++) {
                each.write(packet(slow, "message"));
            }
            each.writeAndFlush(packet(quick, policy.name()));
            assertEquals(policy.name(), ChannelPair.text(quickInbox.take()));
            senders.add(each);
        }
        LoopCpu.assertIdleForTwoSeconds(senders.stream().map(Channel::eventLoop).toArray(EventLoop[]::new));
        for (Channel each : senders) {
            each.writeAndFlush(packet(quick, "later"));
            assertEquals("later", ChannelPair.text(quickInbox.take()));
            each.close().sync();
        }
        Evidence.of("itself",
                "a datagram recipient that has stopped costs its senders no processor, whatever DATAGRAM_QUEUE_FULL "
                + "says");
    }

    @Test
    void connectedSenderWaitsForRoomWithoutSpinning() throws Exception {
        sender.connect(slow.localAddress()).sync();
        List<ChannelFuture> writes = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            writes.add(sender.writeAndFlush(ChannelPair.buffer("message " + i)));
        }
        writes.get(0).sync();
        LoopCpu.assertIdle(sender.eventLoop());
        assertFalse(writes.get(COUNT - 1).isDone());
        slow.config().setAutoRead(true);
        assertAllArrive(slowInbox, writes);
        Evidence.of("itself", "a connected datagram sender waits for a full queue without spinning");
    }

    @Test
    void datagramsToOthersPassTheFullQueueOfAConnectedPeer() throws Exception {
        sender.connect(slow.localAddress()).sync();
        List<ChannelFuture> writes = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            writes.add(sender.writeAndFlush(ChannelPair.buffer("message " + i)));
        }
        ChannelFuture passing = sender.writeAndFlush(packet(quick, "passing"));
        assertEquals("passing", ChannelPair.text(quickInbox.take()));
        assertFalse(writes.get(COUNT - 1).isDone(), "the peer has not read");
        assertFalse(passing.isDone(), "promises complete in the order of the queue");
        slow.config().setAutoRead(true);
        assertAllArrive(slowInbox, writes);
        passing.sync();
        Evidence.of("itself", "a connected datagram channel's full peer holds up nobody else");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void datagramsThatFailReportEAGAINAndOthersAreSent(boolean connected) throws Exception {
        policy(DatagramQueueFull.FAIL);
        if (connected) {
            sender.connect(slow.localAddress()).sync();
        }
        UnixFileDescriptor[] fds = Descriptors.some(1);
        List<ChannelFuture> writes = flood(slow);
        ChannelFuture last = write(slow, "with a descriptor", fds);
        ChannelFuture other = write(quick, "other");
        sender.flush();
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(last));
        assertEquals("EAGAIN", error.errnoName());
        assertEquals(slow.localAddress(), error.address());
        assertTrue(last.cause().getMessage().endsWith("the recipient's queue is full"), last.cause().getMessage());
        assertEquals(0, Descriptors.countOpen(fds));
        other.sync();
        assertEquals("other", ChannelPair.text(quickInbox.take()));
        assertTrue(sender.isActive());
        int sent = (int) writes.stream().filter(ChannelFuture::isSuccess).count();
        assertTrue(sent > 0 && sent < COUNT);
        slow.config().setAutoRead(true);
        assertAllArrive(slowInbox, writes.subList(0, sent));
        Evidence.of("itself", "with FAIL a full queue fails the write with EAGAIN"
                + (connected ? ", also when connected" : ""));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void droppingSucceedsAndCounts(boolean connected) throws Exception {
        policy(DatagramQueueFull.DROP);
        if (connected) {
            sender.connect(slow.localAddress()).sync();
        }
        for (ChannelFuture write : flood(slow)) {
            write.sync();
        }
        write(quick, "other");
        sender.flush();
        assertEquals("other", ChannelPair.text(quickInbox.take()));
        long dropped = sender.eventLoop().submit((Callable<Long>) sender::droppedMessages).get();
        assertTrue(dropped > 0 && dropped < COUNT, "dropped: " + dropped);
        slow.config().setAutoRead(true);
        for (int i = 0; i < COUNT - dropped; i++) {
            assertEquals("message " + i, ChannelPair.text(slowInbox.take()));
        }
        write(slow, "end");
        sender.flush();
        assertEquals("end", ChannelPair.text(slowInbox.take()));
        Evidence.of("itself", "with DROP a full queue drops datagrams and counts them"
                + (connected ? ", also when connected" : ""));
    }

    @Test
    void waitingDatagramsFailWhenTheirRecipientCloses() throws Exception {
        List<ChannelFuture> writes = flood(slow);
        writes.get(0).sync();
        assertFalse(writes.get(COUNT - 1).isDone());
        slow.close().sync();
        UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(writes.get(COUNT - 1)));
        assertTrue(List.of("ECONNREFUSED", "ENOENT").contains(error.errnoName()), error.errnoName());
        assertTrue(sender.isActive());
        write(quick, "alive");
        sender.flush();
        assertEquals("alive", ChannelPair.text(quickInbox.take()));
    }

    @Test
    void closeReleasesWhatWaits() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(COUNT);
        List<ChannelFuture> writes = new ArrayList<>();
        for (UnixFileDescriptor fd : fds) {
            writes.add(write(slow, "x", fd));
        }
        sender.flush();
        writes.get(0).sync();
        assertTrue(Descriptors.countOpen(fds) > 0);
        sender.close().sync();
        assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(writes.get(COUNT - 1)));
        assertEquals(0, Descriptors.countOpen(fds));
    }

    @RepeatedTest(50)
    void whatWaitsMovesToAnotherLoopWithItsChannel() throws Exception {
        List<ChannelFuture> writes = flood(slow);
        writes.get(0).sync();
        sender.deregister().sync();
        Loops.group().register(sender).sync();
        slow.config().setAutoRead(true);
        assertAllArrive(slowInbox, writes);
    }
}
