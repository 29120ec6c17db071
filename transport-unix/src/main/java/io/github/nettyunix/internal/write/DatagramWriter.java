package io.github.nettyunix.internal.write;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.endpoint.SocketName;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SendBatch;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/**
 * Writes datagrams, many per system call. If a recipient has no room, datagrams to other recipients are sent first.
 */
public final class DatagramWriter implements ChannelWriter {
    /** The datagrams in a thread's {@link SendBatch}, and their outcomes. */
    private static final class Slots {
        private static final FastThreadLocal<Slots> CURRENT = new FastThreadLocal<>() {
            @Override
            protected Slots initialValue() {
                return new Slots();
            }
        };

        final OutboundDatagram[] datagrams = new OutboundDatagram[SendBatch.CAPACITY];
        final int[] results = new int[SendBatch.CAPACITY];

        // The first datagram to each recipient whose queue is full.
        private final int[] refused = new int[SendBatch.CAPACITY];
        private int refusedCount;

        void clearRefused() {
            refusedCount = 0;
        }

        void addRefused(int index) {
            refused[refusedCount++] = index;
        }

        /** Returns the datagram to the same recipient that was refused; a negative number if none was. */
        int refusedBefore(int index) {
            for (int i = 0; i < refusedCount; i++) {
                if (Objects.equals(datagrams[refused[i]].recipient(), datagrams[index].recipient())) {
                    return refused[i];
                }
            }
            return -1;
        }

        /** Returns the end of the datagrams from {@code first} on to recipients that have refused none. */
        int endOfUnrefused(int first, int count) {
            int end = first + 1;
            while (end < count && (refusedCount == 0 || refusedBefore(end) < 0)) {
                end++;
            }
            return end;
        }
    }

    /** A result, besides errnos. */
    private static final int SENT = 0;

    /** A shorter wait takes turns of the event loop: a timer would take longer than the reader. */
    private static final long SHORTEST_TIMER_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

    private final ChannelCore core;
    private final WriteSchedule schedule;
    private final IntConsumer peerRefused;
    private final SendQueue queue = new SendQueue();

    // The only attempt that is scheduled: a timer and when it is due, or a turn of the event loop.
    private Future<?> timer;
    private long timerDue;
    private boolean turnScheduled;

    // The last recipient is likely to be the next one too.
    private SocketAddress lastRecipient;
    private UnixSocketAddress lastAddress;

    // Netty's queue; null before the first write.
    private ChannelOutboundBuffer outbound;

    /** @param peerRefused called with the errno if the peer refuses a message for another reason than lack of room */
    public DatagramWriter(ChannelCore core, WriteSchedule schedule, IntConsumer peerRefused) {
        this.core = core;
        this.schedule = schedule;
        this.peerRefused = peerRefused;
    }

    @Override
    public Object filter(Object message) throws IOException {
        SocketAddress recipient = OutboundMessages.recipient(message);
        Object filtered = OutboundMessages.filter(core, message);
        if (recipient != lastRecipient) {
            lastAddress = recipient == null ? null : UnixSocketAddress.from(recipient);
            lastRecipient = recipient;
        }
        return queue.write(filtered, lastAddress);
    }

    @Override
    public void flushed() {
        queue.flush();
    }

    @Override
    public void onWritable() {
        queue.onWritable();
    }

    /** Messages to recipients with room are found without a search. */
    @Override
    public boolean canBypassPeer() {
        return true;
    }

    @Override
    public void write(ChannelOutboundBuffer in, int maxMessages) {
        outbound = in;
        int spins = core.channel().config().getWriteSpinCount();
        int remaining = maxMessages;
        boolean more;
        do {
            int count = sendBatch(Math.min(remaining, SendBatch.CAPACITY));
            remaining -= count;
            // Listeners may write more, and close the channel.
            more = queue.complete(in) + count > 0;
        } while (more && --spins > 0 && remaining > 0);
        if (!core.channel().isOpen()) {
            return;
        }
        if (queue.isAwaitingWritable()) {
            schedule.continueWhenWritable();
        } else {
            schedule.complete();
        }
        if (more) {
            schedule.flushSoon();
        }
        scheduleAttempt();
    }

    /** Returns how many datagrams were tried. */
    private int sendBatch(int limit) {
        long now = System.nanoTime();
        queue.unblockDue(now);
        Slots slots = Slots.CURRENT.get();
        SendBatch batch = SendBatch.current();
        DescriptorUses uses = DescriptorUses.current();
        int count = 0;
        int tried;
        try {
            for (OutboundDatagram datagram; count < limit && (datagram = queue.next(now)) != null;) {
                if (OutboundMessages.add(batch, uses, datagram.message(), name(datagram), Unpooled.EMPTY_BUFFER)) {
                    slots.datagrams[count++] = datagram;
                } else if (count > 0) {
                    // There may be room in the next batch.
                    queue.putBack(datagram, now);
                    break;
                } else {
                    datagram.complete(OutboundMessages.newClosedDescriptor(core, datagram.message()));
                }
            }
            tried = send(batch, slots, count);
        } finally {
            uses.end(0);
        }
        for (int i = count - 1; i >= tried; i--) {
            queue.putBack(slots.datagrams[i], now);
        }
        for (int i = 0; i < tried; i++) {
            complete(slots.datagrams[i], slots.results[i]);
        }
        queue.complete();
        Arrays.fill(slots.datagrams, 0, count, null);
        return tried;
    }

    private static byte[] name(OutboundDatagram datagram) {
        UnixSocketAddress recipient = datagram.recipient();
        return recipient == null ? null : SocketName.bytesOf(recipient);
    }

    /**
     * Tries to send each datagram, up to the first one that must wait; returns how many were tried. Once a recipient's
     * queue is full, nothing else is sent to it: the kernel would refuse each datagram, with a system call each.
     */
    private int send(SendBatch batch, Slots slots, int count) {
        int[] results = slots.results;
        slots.clearRefused();
        int tried = 0;
        while (tried < count) {
            int before = slots.refusedBefore(tried);
            if (before >= 0) {
                results[tried++] = results[before];
                continue;
            }
            long result = batch.sendRecords(core.socket(), tried, slots.endOfUnrefused(tried, count));
            int sent = (int) result;
            int errno = (int) (result >>> Integer.SIZE);
            Arrays.fill(results, tried, tried + sent, SENT);
            if (sent > 0) {
                core.counts().sent(sent, batch.bytes(tried, tried + sent), batch.descriptors(tried, tried + sent));
            }
            tried += sent;
            if (errno != 0) {
                DatagramQueueFull policy = policy(errno);
                if (policy != null) {
                    slots.addRefused(tried);
                }
                results[tried++] = errno;
                if (policy == DatagramQueueFull.WAIT) {
                    break;
                }
            }
        }
        return tried;
    }

    /**
     * Returns the treatment of a datagram for which there is no room; {@code null} if it was refused for another
     * reason.
     */
    private DatagramQueueFull policy(int errno) {
        return errno == Errno.ETOOMANYREFS ? DatagramQueueFull.WAIT
                : errno == Errno.EAGAIN || Errno.isTransient(errno) ? core.settings().datagramQueueFull() : null;
    }

    private void complete(OutboundDatagram datagram, int errno) {
        if (errno == SENT) {
            SentDescriptors.keep(core.channel(), datagram.message());
            queue.sent(datagram);
            return;
        }
        DatagramQueueFull policy = policy(errno);
        if (policy == DatagramQueueFull.WAIT) {
            await(datagram, errno);
        } else if (policy == DatagramQueueFull.DROP) {
            core.counts().count(Counter.DROPPED_MESSAGES);
            datagram.complete(null);
        } else {
            datagram.complete(newException(datagram, errno, policy == DatagramQueueFull.FAIL
                    ? "the recipient's queue is full"
                    : errno == Errno.EMSGSIZE ? OutboundMessages.sizeLimit(core, datagram.message()) : null));
            if (policy == null && datagram.recipient() == null) {
                peerRefused.accept(errno);
            }
        }
    }

    private void await(OutboundDatagram datagram, int errno) {
        core.counts().count(Counter.WRITE_WAITS);
        long now = System.nanoTime();
        long maxWaitMillis = core.settings().datagramWaitMillis();
        long maxWait = TimeUnit.MILLISECONDS.toNanos(maxWaitMillis);
        // The kernel reports when a connected socket can continue.
        RecipientBackoff recipient = queue.refused(datagram, datagram.recipient() == null && errno == Errno.EAGAIN,
                now);
        for (OutboundDatagram late; (late = queue.expired(recipient, maxWait, now)) != null;) {
            late.complete(newException(late, errno, (errno == Errno.ETOOMANYREFS ? "too many descriptors are in flight"
                    : "the recipient's queue was full") + " for " + maxWaitMillis + " ms, DATAGRAM_WAIT_MILLIS"));
        }
        queue.await(recipient, maxWait);
    }

    private Exception newException(OutboundDatagram datagram, int errno, String hint) {
        if (errno == Errno.ENOTCONN && datagram.recipient() == null && core.remote() == null) {
            return SocketErrors.newNotYetConnected(core.local());
        }
        return datagram.recipient() == null ? core.newException(Operation.WRITE, errno, hint)
                : SocketErrors.newException(Operation.WRITE, core.type(), datagram.recipient(), errno, hint);
    }

    private void scheduleAttempt() {
        RecipientBackoff first = queue.firstDue();
        if (first == null || turnScheduled || timer != null && timerDue - first.due() <= 0) {
            return;
        }
        long delay = first.due() - System.nanoTime();
        cancelTimer();
        if (delay < SHORTEST_TIMER_NANOS) {
            turnScheduled = true;
            core.channel().eventLoop().execute(() -> {
                if (core.isOnEventLoop()) {
                    turnScheduled = false;
                    schedule.run();
                }
            });
        } else {
            timerDue = first.due();
            timer = core.channel().eventLoop().schedule(() -> {
                timer = null;
                schedule.run();
            }, delay, TimeUnit.NANOSECONDS);
        }
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    @Override
    public void deregistered() {
        cancelTimer();
    }

    /** Nothing is scheduled on the new loop yet. */
    @Override
    public void onReregistered() {
        turnScheduled = false;
        queue.unblockAll();
    }

    /** Completes the promises of sent datagrams, wherever they are in the queue; all others fail. */
    @Override
    public void close() {
        cancelTimer();
        if (outbound != null) {
            queue.completeAll(outbound, new ClosedChannelException());
        }
    }
}
