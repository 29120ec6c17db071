package io.github.nettyunix.internal.write;

import io.github.nettyunix.UnixSocketAddress;
import io.netty.channel.ChannelOutboundBuffer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * The datagrams of a channel that have not been sent yet, and the order in which they may be. Datagrams whose recipient
 * has no room wait separately, so that the cost of sending others does not depend on how many wait. Netty's own queue
 * contains the same datagrams, but only its head is accessible: promises complete there, in the order of the writes.
 *
 * <p>It depends on neither a socket nor a clock, and is used on the event loop only.
 */
public final class SendQueue {
    private static final int MAX_SPARE = 64;

    private final DatagramChain written = new DatagramChain();
    private final DatagramChain ready = new DatagramChain();
    // The recipients that had no room at the last attempt; the key of the peer is null.
    private final Map<UnixSocketAddress, RecipientBackoff> full = new HashMap<>(0);
    // Those of them that are blocked, by the time of the next attempt.
    private final PriorityQueue<RecipientBackoff> blocked =
            new PriorityQueue<>(1, (a, b) -> Long.signum(a.due() - b.due()));
    // Those that are not blocked.
    private final Deque<RecipientBackoff> open = new ArrayDeque<>(1);
    // Those for which nothing waits any more, unless the datagram being sent is refused.
    private final List<RecipientBackoff> emptied = new ArrayList<>(1);
    // Objects that later writes can use again.
    private final DatagramChain spare = new DatagramChain();
    private int spares;

    /** Adds a datagram that was written. It must be added to Netty's queue as well. */
    OutboundDatagram write(Object message, UnixSocketAddress recipient) {
        OutboundDatagram datagram = spare.poll();
        if (datagram == null) {
            datagram = new OutboundDatagram();
        } else {
            spares--;
        }
        written.addLast(datagram.init(message, recipient));
        return datagram;
    }

    /** Everything that was written may be sent. */
    void flush() {
        ready.append(written);
    }

    /** Takes the next datagram to be sent; {@code null} if there is none for now. */
    OutboundDatagram next(long now) {
        for (RecipientBackoff recipient; (recipient = open.peek()) != null; open.remove()) {
            OutboundDatagram datagram = poll(recipient.waiting);
            if (datagram != null) {
                return datagram;
            }
            emptied.add(recipient);
        }
        for (OutboundDatagram datagram; (datagram = poll(ready)) != null;) {
            RecipientBackoff recipient = full.isEmpty() ? null : full.get(datagram.recipient());
            // Nothing waits for a recipient that is not blocked.
            if (recipient == null || !recipient.isBlocked()) {
                return datagram;
            }
            datagram.waitingSince = now;
            recipient.waiting.addLast(datagram);
        }
        return null;
    }

    private static OutboundDatagram poll(DatagramChain chain) {
        OutboundDatagram datagram;
        do {
            datagram = chain.poll();
        } while (datagram != null && datagram.isDropped());
        return datagram;
    }

    /** The kernel has taken a datagram. */
    void sent(OutboundDatagram datagram) {
        datagram.complete(null);
        RecipientBackoff recipient = full.isEmpty() ? null : full.get(datagram.recipient());
        if (recipient != null) {
            recipient.taken();
        }
    }

    /**
     * The recipient of a datagram has no room. The datagram waits, and so do later ones to the same recipient.
     *
     * @param event whether an event will report that there is room
     * @return the recipient, for which {@link #expired} and {@link #await} must be called
     */
    RecipientBackoff refused(OutboundDatagram datagram, boolean event, long now) {
        RecipientBackoff recipient = full.computeIfAbsent(datagram.recipient(), RecipientBackoff::new);
        if (open.peek() == recipient) {
            open.remove();
        }
        waitFor(recipient, datagram, now);
        if (event) {
            recipient.refusedUntilEvent(now);
        } else {
            recipient.refused(now);
        }
        return recipient;
    }

    /**
     * Takes the next datagram that has waited too long for a recipient that has just refused one; {@code null} if none
     * has.
     */
    OutboundDatagram expired(RecipientBackoff recipient, long maxWait, long now) {
        OutboundDatagram first = recipient.waiting.peek();
        return first != null && maxWait > 0 && now - first.waitingSince >= maxWait ? recipient.waiting.poll() : null;
    }

    /**
     * Waits for a recipient that has refused a datagram, until it is time to try again or the first datagram has waited
     * too long.
     */
    void await(RecipientBackoff recipient, long maxWait) {
        OutboundDatagram first = recipient.waiting.peek();
        if (first == null) {
            full.remove(recipient.recipient());
            return;
        }
        if (maxWait > 0) {
            recipient.limit(first.waitingSince + maxWait);
        }
        blocked.add(recipient);
    }

    /** Puts back a datagram from {@link #next} that was not tried. Must be called for the last one first. */
    void putBack(OutboundDatagram datagram, long now) {
        RecipientBackoff recipient = full.isEmpty() ? null : full.get(datagram.recipient());
        if (recipient == null) {
            ready.addFirst(datagram);
        } else {
            waitFor(recipient, datagram, now);
        }
    }

    private static void waitFor(RecipientBackoff recipient, OutboundDatagram datagram, long now) {
        if (datagram.waitingSince == 0) {
            datagram.waitingSince = now;
        }
        recipient.waiting.addFirst(datagram);
    }

    /** Called when the datagram that {@link #next} returned was sent, refused or put back. */
    void complete() {
        for (int i = 0; i < emptied.size(); i++) {
            RecipientBackoff recipient = emptied.get(i);
            if (recipient.isBlocked()) {
                continue;
            }
            if (recipient.waiting.isEmpty()) {
                full.remove(recipient.recipient());
            } else {
                open.add(recipient);
            }
        }
        emptied.clear();
    }

    /** Unblocks the recipients whose time has come. */
    void unblockDue(long now) {
        for (RecipientBackoff recipient; (recipient = blocked.peek()) != null && recipient.due() - now <= 0;) {
            unblock(blocked.poll());
        }
    }

    /**
     * The socket is writable. That matters only to a peer that had no room: while the kernel is short of something
     * else, the socket is writable all the time.
     */
    void onWritable() {
        RecipientBackoff peer = full.get(null);
        if (peer != null && peer.isAwaitingEvent() && blocked.remove(peer)) {
            unblock(peer);
        }
    }

    /** Unblocks all recipients. */
    void unblockAll() {
        while (!blocked.isEmpty()) {
            unblock(blocked.poll());
        }
    }

    private void unblock(RecipientBackoff recipient) {
        recipient.unblock();
        open.add(recipient);
    }

    /** Whether the peer has no room and an event will report when it does. */
    boolean isAwaitingWritable() {
        RecipientBackoff peer = full.isEmpty() ? null : full.get(null);
        return peer != null && peer.isAwaitingEvent();
    }

    /** Returns the recipient to try next; {@code null} if there is none. */
    RecipientBackoff firstDue() {
        return blocked.peek();
    }

    /**
     * Completes the promises at the head of Netty's queue, as far as their datagrams are done; returns their number.
     */
    int complete(ChannelOutboundBuffer in) {
        int count = 0;
        for (Object head; (head = in.current()) != null
                && (!(head instanceof OutboundDatagram datagram) || datagram.isDone());) {
            count += remove(in, head, null);
        }
        return count;
    }

    /** Completes all promises; datagrams that are not done have failed. */
    void completeAll(ChannelOutboundBuffer in, Throwable cause) {
        for (Object head; (head = in.current()) != null;) {
            remove(in, head, cause);
        }
    }

    private int remove(ChannelOutboundBuffer in, Object head, Throwable cause) {
        if (!(head instanceof OutboundDatagram datagram)) {
            // Skip the placeholder of a cancelled write.
            in.remove();
            return 0;
        }
        boolean done = datagram.isDone();
        Throwable failure = done ? datagram.failure() : cause;
        if (failure == null) {
            in.remove();
        } else {
            in.remove(failure);
        }
        if (done && spares < MAX_SPARE) {
            spares++;
            spare.addLast(datagram.init(null, null));
        }
        return 1;
    }
}
