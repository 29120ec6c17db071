package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Buffers;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;

import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Messages in both directions of a pair, one end of which is on the event loop whose calls fail.
 *
 * @param exact whether a stream keeps descriptors apart from the bytes before them
 * @param memory whether the bytes go through shared memory
 */
record Traffic(SocketType type, boolean controlData, boolean exact, boolean memory) implements Workload {
    static Traffic plain(SocketType type) {
        return new Traffic(type, false, false, false);
    }

    static Traffic withDescriptors(SocketType type) {
        return new Traffic(type, true, false, false);
    }

    static Traffic inMemory(boolean controlData) {
        return new Traffic(SocketType.SEQPACKET, controlData, false, true);
    }

    @Override
    public String title() {
        return (memory ? "shared memory" : type)
                + (exact ? ", exact positions" : controlData ? ", control data" : "");
    }

    @Override
    public boolean makesMany() {
        return true;
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Buffers buffers = new Buffers();
        Outcome outcome = new Outcome(fault);
        List<? extends Channel> pair = memory ? UnixSharedMemoryChannel.pair() : Channels.pair(type);
        Channel faulty = pair.get(0);
        Channel peer = pair.get(1);
        Inbox inbox = new Inbox(type == SocketType.STREAM);
        Inbox peerInbox = new Inbox(type == SocketType.STREAM);
        for (Channel channel : pair) {
            channel.config().setAllocator(buffers.allocator());
            channel.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, controlData);
            if (exact) {
                channel.config().setOption(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
            }
        }
        faulty.pipeline().addLast(inbox);
        peer.pipeline().addLast(peerInbox);
        FaultyLoop.GROUP.register(faulty).sync();
        Loops.group().register(peer).sync();
        // Each now waits for the other: a peer that has not begun to read needs no call to be woken.
        FaultyLoop.call(() -> null);
        peer.eventLoop().submit(() -> { }).sync();
        Sender sender = new Sender(faulty);
        Sender peerSender = new Sender(peer);
        sender.prepare(controlData);
        peerSender.prepare(controlData);
        List<UnixFileDescriptor> arrived = new ArrayList<>();
        List<UnixFileDescriptor> arrivedAtPeer = new ArrayList<>();
        try {
            fault.arm();
            peerSender.send();
            sender.send();
            outcome.await(() -> sender.isDone() && peerSender.isDone()
                    && (inbox.isInactive() || !hasEnded(faulty))
                    && (peerInbox.isInactive() || peerInbox.count() == sender.succeeded().size())
                    && (inbox.isInactive() || inbox.count() == peerSender.succeeded().size()),
                    () -> "the traffic: sent " + sender + ", arrived " + peerInbox + ", to be received " + peerSender
                            + ", received " + inbox);
            arrived.addAll(inbox.takeDescriptors());
            arrivedAtPeer.addAll(peerInbox.takeDescriptors());
            check(sender, peerInbox, arrivedAtPeer, "what was sent");
            if (!inbox.isInactive()) {
                check(peerSender, inbox, arrived, "what was to be received");
            } else {
                checkPrefix(peerSender, inbox, arrived);
                assertTrue(!inbox.caught().isEmpty() || !sender.failures().isEmpty(),
                        "the channel has closed without a word");
            }
            // Closing them is also a call that may fail.
            FaultyLoop.call(() -> {
                arrived.forEach(UnixFileDescriptor::release);
                return null;
            });
            Injector.clear();
            if (inbox.isInactive()) {
                outcome.closed();
            } else {
                checkAlive(sender, peerInbox);
                checkAlive(peerSender, inbox);
            }
            sender.failures().forEach(outcome::writeFailed);
            outcome.caught(inbox.caught());
            checkEnd(faulty, peer, inbox, outcome);
        } finally {
            Injector.clear();
            faulty.close().sync();
            peer.close().sync();
            arrived.stream().filter(fd -> fd.refCnt() > 0).forEach(UnixFileDescriptor::release);
            arrivedAtPeer.forEach(UnixFileDescriptor::release);
            inbox.takeDescriptors().forEach(UnixFileDescriptor::release);
            peerInbox.takeDescriptors().forEach(UnixFileDescriptor::release);
        }
        Outcome.awaitPlainly(() -> !faulty.isRegistered() && !peer.isRegistered(), "the end of the registrations");
        buffers.assertAllReleased();
        before.assertUnchanged();
        return outcome;
    }

    /** Whether a write has failed that nothing may follow. */
    private static boolean hasEnded(Channel channel) {
        return channel instanceof DuplexChannel duplex && duplex.isOutputShutdown();
    }

    /** Everything whose promise has succeeded has arrived, nothing else has, in order, and with its descriptors. */
    private void check(Sender sender, Inbox inbox, List<UnixFileDescriptor> fds, String what) throws Exception {
        assertNull(inbox.mistake());
        assertEquals(sender.succeeded(), inbox.numbers(), what);
        checkDescriptors(inbox, fds);
    }

    /** The same, but the last ones may be missing. */
    private void checkPrefix(Sender sender, Inbox inbox, List<UnixFileDescriptor> fds) throws Exception {
        assertNull(inbox.mistake());
        assertEquals(sender.succeeded().subList(0, inbox.count()), inbox.numbers(), "what was received before the end");
        checkDescriptors(inbox, fds);
    }

    private void checkDescriptors(Inbox inbox, List<UnixFileDescriptor> fds) throws Exception {
        List<String> expected = new ArrayList<>();
        if (controlData) {
            inbox.numbers().forEach(number -> expected.addAll(Sender.labels(number)));
        }
        List<String> labels = new ArrayList<>();
        for (UnixFileDescriptor fd : fds) {
            labels.add(Content.label(fd));
        }
        assertEquals(expected, labels, "descriptors");
    }

    /** The peer of a connection closes it. */
    private void checkEnd(Channel faulty, Channel peer, Inbox inbox, Outcome outcome) throws InterruptedException {
        int reported = inbox.caught().size();
        peer.close().sync();
        if (type == SocketType.DATAGRAM) {
            return;
        }
        Outcome.awaitPlainly(inbox::isInactive, "the end of the stream");
        List<Throwable> causes = inbox.caught();
        if (causes.size() > reported) {
            outcome.reportedAtEnd(causes.subList(reported, causes.size()));
        }
    }

    private static void checkAlive(Sender sender, Inbox inbox) {
        int before = inbox.count();
        sender.sendOne(Sender.next());
        Outcome.awaitPlainly(() -> inbox.count() > before, "a message after the failures");
    }
}
