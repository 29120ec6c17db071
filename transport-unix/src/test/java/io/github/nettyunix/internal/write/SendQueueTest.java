package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixSocketAddress;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.AbstractReferenceCounted;
import io.netty.util.ReferenceCounted;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What is sent next, and what completes, without a socket. */
@Tag("once")
class SendQueueTest {
    private static final UnixSocketAddress A = UnixSocketAddress.of("/a");
    private static final UnixSocketAddress B = UnixSocketAddress.of("/b");

    private static final class Content extends AbstractReferenceCounted {
        @Override
        protected void deallocate() {
        }

        @Override
        public ReferenceCounted touch(Object hint) {
            return this;
        }
    }

    private final SendQueue queue = new SendQueue();
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final ChannelOutboundBuffer outbound = channel.unsafe().outboundBuffer();
    private final List<ChannelPromise> promises = new ArrayList<>();
    private long now = 1;

    private OutboundDatagram write(UnixSocketAddress recipient) {
        OutboundDatagram datagram = queue.write(new Content(), recipient);
        promises.add(channel.newPromise());
        outbound.addMessage(datagram, 1, promises.get(promises.size() - 1));
        return datagram;
    }

    private void flush() {
        outbound.addFlush();
        queue.flush();
    }

    private RecipientBackoff refuse(OutboundDatagram datagram) {
        RecipientBackoff recipient = queue.refused(datagram, false, now);
        queue.await(recipient, 0);
        return recipient;
    }

    private OutboundDatagram next() {
        return queue.next(now);
    }

    @Test
    void datagramsToOthersPassThoseThatWaitAndTheOrderPerRecipientIsKept() {
        OutboundDatagram a1 = write(A);
        OutboundDatagram a2 = write(A);
        OutboundDatagram b1 = write(B);
        OutboundDatagram a3 = write(A);
        assertNull(next(), "not flushed yet");
        flush();
        assertSame(a1, next());
        assertSame(a2, next());
        assertSame(b1, next());
        // A batch of three: the first has no room, the others were not tried.
        queue.putBack(b1, now);
        queue.putBack(a2, now);
        RecipientBackoff a = refuse(a1);
        queue.complete();
        assertSame(b1, next());
        queue.sent(b1);
        assertNull(next());
        assertSame(a, queue.firstDue());

        OutboundDatagram a4 = write(A);
        OutboundDatagram b2 = write(B);
        flush();
        assertSame(b2, next());
        assertNull(next());
        now = a.due();
        queue.unblockDue(now);
        assertSame(a1, next());
        assertSame(a2, next());
        // Full again.
        queue.sent(a1);
        refuse(a2);
        queue.complete();
        assertNull(next());
        queue.unblockAll();
        for (OutboundDatagram expected : List.of(a2, a3, a4)) {
            assertSame(expected, next());
            queue.sent(expected);
        }
        assertNull(next());
        queue.complete();
        assertNull(queue.firstDue());
        channel.close();
    }

    @Test
    void promisesCompleteInTheOrderOfTheWritesAndMessagesAreReleasedBefore() {
        OutboundDatagram a = write(A);
        OutboundDatagram b = write(B);
        Object content = b.message();
        flush();
        assertSame(a, next());
        assertSame(b, next());
        refuse(a);
        queue.sent(b);
        assertEquals(0, ((ReferenceCounted) content).refCnt());
        assertEquals(0, queue.complete(outbound));
        assertFalse(promises.get(1).isDone());
        queue.unblockAll();
        IOException cause = new IOException();
        next().complete(cause);
        assertEquals(2, queue.complete(outbound));
        assertSame(cause, promises.get(0).cause());
        assertTrue(promises.get(1).isSuccess());
        channel.close();
    }

    @Test
    void cancelledWritesAreNotSent() {
        write(A);
        OutboundDatagram sent = write(A);
        write(A);
        promises.get(0).cancel(false);
        promises.get(2).cancel(false);
        flush();
        assertSame(sent, next());
        queue.sent(sent);
        assertNull(next());
        assertEquals(1, queue.complete(outbound));
        assertTrue(promises.get(1).isSuccess());
        assertTrue(outbound.isEmpty());
        channel.close();
    }

    @Test
    void thoseThatHaveWaitedTooLongExpire() {
        OutboundDatagram first = write(A);
        OutboundDatagram second = write(A);
        flush();
        assertSame(first, next());
        RecipientBackoff a = queue.refused(first, false, now);
        assertNull(queue.expired(a, 1000, now));
        queue.await(a, 1000);
        assertNull(next());
        now += 500;
        OutboundDatagram third = write(A);
        flush();
        assertNull(next());
        now += 500;
        queue.unblockDue(now);
        assertSame(first, next());
        a = queue.refused(first, false, now);
        assertSame(first, queue.expired(a, 1000, now));
        assertSame(second, queue.expired(a, 1000, now));
        assertNull(queue.expired(a, 1000, now), "the third has waited half as long");
        queue.await(a, 1000);
        assertTrue(a.due() - now <= 500);
        queue.unblockAll();
        assertSame(third, next());
        channel.close();
    }

    @Test
    void onlyAnEventSaysThatThePeerHasRoom() {
        OutboundDatagram datagram = write(null);
        flush();
        assertSame(datagram, next());
        queue.await(queue.refused(datagram, true, now), 0);
        assertTrue(queue.isAwaitingWritable());
        queue.unblockDue(now + Long.MAX_VALUE / 4);
        assertNull(next());
        queue.onWritable();
        assertFalse(queue.isAwaitingWritable());
        assertSame(datagram, next());
        channel.close();
    }

    @Test
    void noEventEndsTheWaitOfAPeerThatWaitsForATime() {
        OutboundDatagram datagram = write(null);
        flush();
        assertSame(datagram, next());
        // First it had no room, and then the kernel was short of a resource.
        queue.await(queue.refused(datagram, true, now), 0);
        queue.onWritable();
        assertSame(datagram, next());
        RecipientBackoff peer = refuse(datagram);
        assertFalse(queue.isAwaitingWritable());
        queue.onWritable();
        assertNull(next());
        queue.unblockDue(peer.due());
        assertSame(datagram, next());
        channel.close();
    }

    @Test
    void aCloseCompletesWhatWasSentAndFailsTheRest() {
        OutboundDatagram a = write(A);
        OutboundDatagram b = write(B);
        flush();
        next();
        next();
        refuse(a);
        queue.sent(b);
        IOException cause = new IOException();
        queue.completeAll(outbound, cause);
        assertSame(cause, promises.get(0).cause());
        assertTrue(promises.get(1).isSuccess());
        channel.close();
    }

    /** Compares processor times: a walk through the waiting datagrams would take most of the second one. */
    @Test
    void aFlushCostsTheSameHoweverManyWaitForAnotherRecipient() {
        flushMany();
        long alone = flushMany();
        for (int i = 0; i < 100_000; i++) {
            write(A);
        }
        flush();
        refuse(next());
        assertNull(next());
        queue.complete();
        long besides = flushMany();
        assertTrue(besides < 20 * alone, besides + " ns instead of " + alone);
        channel.close();
    }

    /** Returns how much processor time it takes. */
    private long flushMany() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadCpuTime();
        for (int i = 0; i < 1000; i++) {
            OutboundDatagram datagram = write(B);
            flush();
            assertSame(datagram, next());
            assertNull(next());
            queue.sent(datagram);
            queue.complete();
            queue.unblockDue(now);
            queue.complete(outbound);
        }
        return threads.getCurrentThreadCpuTime() - before;
    }
}
