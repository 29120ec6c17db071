package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.SendBatch;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundBuffer.MessageProcessor;
import io.netty.util.concurrent.FastThreadLocal;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Writes records, many in one system call, in the order of the queue, but those whose recipient cannot take them now let
 * others pass: datagrams to other recipients are sent ahead of them. Promises complete in the order of the queue all the same,
 * since it gives up messages at its head only; what is done but not yet at the head is remembered here.
 */
final class DatagramWriter implements MessageProcessor {
    /** What is in a thread's {@link SendBatch}: the messages, and where they stand in the queue, counted from its head. */
    private static final class Round {
        private static final FastThreadLocal<Round> CURRENT = new FastThreadLocal<>() {
            @Override
            protected Round initialValue() {
                return new Round();
            }
        };

        final Object[] messages = new Object[SendBatch.CAPACITY];
        final int[] positions = new int[SendBatch.CAPACITY];
    }

    /**
     * A recipient whose queue was full when we tried last. No event tells when it has room; so the wait grows with the time that
     * it has taken already, and a reader that has stopped for good costs next to nothing.
     */
    private static final class Wait {
        private static final long FIRST_DELAY_NANOS = TimeUnit.MICROSECONDS.toNanos(20);
        private static final long LAST_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

        boolean over;
        long delay;
        long due;

        void again() {
            over = false;
            delay = delay == 0 ? FIRST_DELAY_NANOS : Math.min(delay * 2, LAST_DELAY_NANOS);
            due = System.nanoTime() + delay;
        }
    }

    private final AbstractUnixChannel channel;

    // Of the round that is being made up.
    private SendBatch batch;
    private Round round;
    private int walked;
    private int most;
    // Whether nothing is done ahead and nobody waits: then the batch is what stands at the head of the queue.
    private boolean inOrder;

    // From one round to the next: the positions that are done, those among them that failed, and who makes us wait.
    private BitSet done = new BitSet();
    private Map<Integer, Throwable> failures = new HashMap<>(0);
    private final Map<SocketAddress, Wait> waits = new HashMap<>(0);
    private boolean peerFull;
    private boolean retryScheduled;

    // The last recipient is likely to be the next one too.
    private SocketAddress lastRecipient;
    private byte[] lastName;

    // Whether there ever was a message with a recipient: then the others need not wait for the peer.
    private boolean addressed;

    private volatile long dropped;

    DatagramWriter(AbstractUnixChannel channel) {
        this.channel = channel;
    }

    /** How many messages {@link DatagramQueueFull#DROP} has dropped. */
    long dropped() {
        return dropped;
    }

    /** A message with a recipient of its own will come. */
    void setAddressed() {
        addressed = true;
    }

    /** Whether there may be something to send while the peer takes no more. */
    boolean passesPeer() {
        return addressed;
    }

    /** The peer may take more. */
    void peerReady() {
        peerFull = false;
    }

    /**
     * See {@link AbstractUnixChannel#doWrite}.
     *
     * @param maxMessages how many may be sent before others get their turn
     */
    void write(ChannelOutboundBuffer in, int maxMessages) throws Exception {
        int spins = channel.config().getWriteSpinCount();
        int left = maxMessages;
        do {
            most = Math.min(left, SendBatch.CAPACITY);
            batch = SendBatch.current();
            round = Round.CURRENT.get();
            walked = 0;
            inOrder = done.isEmpty() && waits.isEmpty() && !peerFull;
            in.forEachFlushedMessage(this);
            int count = batch.count();
            if (count > 0) {
                try {
                    left -= send(spins);
                } finally {
                    Arrays.fill(round.messages, 0, count, null);
                }
            }
            int retired = retire(in);
            if (peerFull && !addressed) {
                return;
            }
            // What was given up without being sent has told its writer, who may have written more.
            if (count == 0 && retired == 0) {
                if (!peerFull) {
                    channel.writeComplete();
                }
                if (!waits.isEmpty()) {
                    retryLater();
                }
                return;
            }
        } while (--spins > 0 && left > 0);
        if (peerFull) {
            // Its room must still be told.
            channel.flushSoon();
        } else {
            channel.yieldWriting();
        }
    }

    /** Puts a message into the batch, unless it is done or must wait. Answers false if there is no more room. */
    @Override
    public boolean processMessage(Object message) {
        int position = walked++;
        if (inOrder && message instanceof ByteBuf buffer) {
            return add(position, message, batch.add(buffer, null));
        }
        if (done.get(position)) {
            return true;
        }
        SocketAddress recipient = OutboundMessages.recipient(message);
        if (peerFull && recipient == null) {
            return true;
        }
        if (!waits.isEmpty()) {
            Wait wait = waits.get(recipient);
            if (wait != null && !wait.over) {
                return true;
            }
        }
        if (OutboundMessages.hasClosedDescriptor(message)) {
            settle(position, channel.newException("write", Errno.EBADF,
                    "a descriptor was closed before it was sent: " + message));
            return true;
        }
        return add(position, message, OutboundMessages.add(batch, message, nameOf(recipient), Unpooled.EMPTY_BUFFER));
    }

    private boolean add(int position, Object message, boolean added) {
        if (!added) {
            return false;
        }
        int count = batch.count();
        round.messages[count - 1] = message;
        round.positions[count - 1] = position;
        return count < most;
    }

    /**
     * Sends the batch; answers how many messages went out.
     *
     * @param chances how often to try in vain: a datagram socket's queue is short, and its reader is likely to be at work on
     *        another processor; that of a connection is long, and the kernel tells when a good part of it is free
     */
    private int send(int chances) throws IOException {
        int sent = 0;
        int errno;
        do {
            long result = batch.sendRecords(channel.socket, sent);
            int now = (int) result;
            errno = (int) (result >>> Integer.SIZE);
            sent += now;
            if (now == 0) {
                chances--;
                Thread.onSpinWait();
            }
        } while (errno == Errno.EAGAIN && chances > 0);
        for (int i = 0; i < sent; i++) {
            done.set(round.positions[i]);
            SentDescriptors.keep(channel, round.messages[i]);
            if (!waits.isEmpty()) {
                waits.remove(OutboundMessages.recipient(round.messages[i]));
            }
        }
        if (errno != 0) {
            refused(round.messages[sent], round.positions[sent], errno);
        }
        return sent;
    }

    private void refused(Object message, int position, int errno) throws IOException {
        SocketAddress recipient = OutboundMessages.recipient(message);
        if (errno == Errno.EAGAIN || Errno.isTransient(errno)) {
            DatagramQueueFull policy = errno == Errno.ETOOMANYREFS ? DatagramQueueFull.WAIT
                    : channel.config().datagramQueueFull();
            if (policy == DatagramQueueFull.FAIL) {
                settle(position, newException(message, recipient, errno, "the recipient's queue is full"));
            } else if (policy == DatagramQueueFull.DROP) {
                // Only the event loop writes it.
                dropped = dropped + 1;
                settle(position, null);
            } else if (errno == Errno.EAGAIN && recipient == null) {
                // The kernel will tell when a connected socket can go on.
                peerFull = true;
                channel.awaitWritable();
            } else {
                waits.computeIfAbsent(recipient, to -> new Wait()).again();
            }
        } else {
            waits.remove(recipient);
            settle(position, errno == Errno.ENOTCONN && channel.remoteAddress() == null ? UnixErrors.newNotYetConnected(channel.localAddress())
                    : newException(message, recipient, errno, errno == Errno.EMSGSIZE ? OutboundMessages.sizeLimit(channel, message) : null));
            if (recipient == null) {
                channel.writeRefused(errno);
            }
        }
    }

    private IOException newException(Object message, SocketAddress recipient, int errno, String hint) {
        return recipient == null ? channel.newException("write", errno, hint)
                : UnixErrors.newException("write", channel.type, recipient, errno, hint);
    }

    /** The message at a position is done with. */
    private void settle(int position, Throwable failure) {
        done.set(position);
        if (failure != null) {
            failures.put(position, failure);
        }
    }

    /** Takes what is done out of the queue, as far as it stands at its head; answers how many messages that were. */
    private int retire(ChannelOutboundBuffer in) {
        int count = done.nextClearBit(0);
        if (count > 0) {
            Map<Integer, Throwable> causes = failures;
            boolean all = done.length() == count;
            // Before the promises complete: their listeners may close the channel.
            if (all) {
                done.clear();
            } else {
                done = done.get(count, done.length());
            }
            if (!causes.isEmpty()) {
                failures = new HashMap<>(0);
                causes.forEach((position, cause) -> {
                    if (position >= count) {
                        failures.put(position - count, cause);
                    }
                });
            }
            for (int i = 0; i < count; i++) {
                dropCancelled(in);
                Throwable cause = causes.isEmpty() ? null : causes.get(i);
                if (cause == null) {
                    in.remove();
                } else {
                    in.remove(cause);
                }
            }
        }
        dropCancelled(in);
        return count;
    }

    /** A write that was cancelled leaves this buffer in the queue; it is not walked over, but it stands there. */
    private static void dropCancelled(ChannelOutboundBuffer in) {
        while (in.current() == Unpooled.EMPTY_BUFFER) {
            in.remove();
        }
    }

    private void retryLater() {
        if (retryScheduled) {
            return;
        }
        long now = System.nanoTime();
        long delay = Long.MAX_VALUE;
        for (Wait wait : waits.values()) {
            if (!wait.over) {
                delay = Math.min(delay, wait.due - now);
            }
        }
        if (delay != Long.MAX_VALUE) {
            retryScheduled = true;
            channel.eventLoop().schedule(this::retry, Math.max(delay, 0), TimeUnit.NANOSECONDS);
        }
    }

    /** The channel came to another loop, and the retry stayed behind. */
    void resume() {
        retryScheduled = false;
        waits.values().forEach(wait -> wait.over = true);
    }

    private void retry() {
        if (!channel.isAtHome()) {
            return;
        }
        retryScheduled = false;
        long now = System.nanoTime();
        waits.values().forEach(wait -> wait.over |= wait.due - now <= 0);
        channel.flushLater();
    }

    private byte[] nameOf(SocketAddress recipient) {
        if (recipient == null) {
            return null;
        }
        if (recipient != lastRecipient) {
            lastName = UnixSocketAddress.from(recipient).name();
            lastRecipient = recipient;
        }
        return lastName;
    }
}
