package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.readiness.Interest;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.github.nettyunix.internal.write.OutboundMessages;
import io.github.nettyunix.internal.write.SentRecords;
import io.github.nettyunix.internal.write.WriteSchedule;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundBuffer.MessageProcessor;

import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;

/** Writes records to a ring of this process, from which the peer reads: copies them, unless they were built there. */
final class MemoryWriter implements ChannelWriter, MessageProcessor {
    /** The most records that are copied before their promises complete. */
    private static final int BATCH = 64;

    /** The connection that the ring belongs to. */
    interface Owner {
        /** Wakes the peer. */
        void wake();

        /** The peer has broken the rules: the channel closes. */
        void corrupt(Ring.CorruptException cause);

        /** Whether the peer is known to be gone. */
        boolean isPeerKnownGone();

        /** The channel was registered again. */
        void onReregistered();
    }

    /** What ended a batch. */
    private enum Outcome {
        /** All flushed messages were copied, or enough for one batch. */
        COPIED,
        /** The message at the head begins the next batch, since it has descriptors or credentials. */
        CONTROL_DATA,
        /** The ring has no room for the next piece. */
        NO_ROOM,
        /** The socket has not taken what comes with the message at the head. */
        NOT_SENT
    }

    private final ChannelCore core;
    private final WriteSchedule schedule;
    private final SentRecords sent;
    private final Interest interest;
    private final Owner owner;
    private final Doorbell doorbell;
    private final Runnable onRelease = this::released;
    private final Runnable continueIfRoom = this::continueIfRoom;
    // null before the handshake, and once the channel is closed.
    private RingProducer ring;
    // The space that a piece waits for; 0 if none does. Read by threads that release what was built in place.
    private volatile int awaited;
    // Whether the queue has a message that will be copied. What was reserved now would be too early in the ring.
    private boolean copying;

    // The batch: how many messages may be copied, and how many are.
    private int limit;
    private int copied;
    private long bytes;
    private int descriptors;
    private Outcome outcome;
    private int needed;
    private int errno;
    // How much of the message at the head is in the ring, and whether what comes with it was sent.
    private int progress;
    private boolean attached;

    MemoryWriter(ChannelCore core, WriteSchedule schedule, Interest interest, Owner owner, Doorbell doorbell) {
        this.core = core;
        this.schedule = schedule;
        sent = new SentRecords(core, schedule);
        this.interest = interest;
        this.owner = owner;
        this.doorbell = doorbell;
    }

    void start(RingProducer started) {
        ring = started;
    }

    @Override
    public Object filter(Object message) throws IOException {
        Object filtered = OutboundMessages.filterCopied(core, message);
        if (!copying && ring != null) {
            ByteBuf content = OutboundMessages.contentOrEmpty(filtered);
            copying = !ring.trim(content) && !ring.isInPlace(content);
        }
        return filtered;
    }

    @Override
    public void write(ChannelOutboundBuffer in, int maxMessages) throws Exception {
        try {
            copyAll(in, maxMessages);
        } catch (Ring.CorruptException e) {
            owner.corrupt(e);
        }
    }

    private void copyAll(ChannelOutboundBuffer in, int maxMessages) throws Exception {
        stopWaiting();
        int remaining = maxMessages;
        for (int spins = core.channel().config().getWriteSpinCount(); spins > 0 && remaining > 0; spins--) {
            if (ring == null) {
                return;
            }
            OutboundMessages.removeCancelled(in);
            if (in.isEmpty()) {
                copying = false;
                schedule.complete();
                return;
            }
            if (owner.isPeerKnownGone() || ring.isConsumerClosed()) {
                throw core.newException(Operation.WRITE, ring.isUnread() ? Errno.ECONNRESET : Errno.EPIPE, null);
            }
            limit = Math.min(remaining, BATCH);
            int count = copyBatch(in);
            remaining -= count;
            if (ring == null || !continueAfter(in, count)) {
                return;
            }
        }
        schedule.yieldToSockets();
    }

    /** Copies messages, and completes their promises once the peer can see them; returns how many. */
    private int copyBatch(ChannelOutboundBuffer in) throws Exception {
        outcome = Outcome.COPIED;
        copied = 0;
        bytes = 0;
        descriptors = 0;
        in.forEachFlushedMessage(this);
        publish();
        // Listeners may do anything.
        int count = copied;
        if (count > 0) {
            core.counts().sent(count, bytes, descriptors);
            sent.complete(in, count);
        }
        return count;
    }

    /** Copies a message; returns false if the batch ends with it or before it. */
    @Override
    public boolean processMessage(Object message) throws Exception {
        if (copied == limit) {
            return false;
        }
        if (!(message instanceof ByteBuf) && !attached && OutboundMessages.hasControlData(message)) {
            // On its own, so that the peer never has descriptors of more than one record that it does not see yet.
            if (copied > 0) {
                outcome = Outcome.CONTROL_DATA;
                return false;
            }
            if (!send(message)) {
                return false;
            }
        }
        ByteBuf content = OutboundMessages.contentOrEmpty(message);
        int length = content.readableBytes();
        if (progress == 0 && ring.isInPlace(content)) {
            ring.commit(attached ? Ring.ATTACHMENT : 0, content);
            progress = length;
        } else if (!copy(content, length)) {
            return false;
        }
        bytes += progress;
        descriptors += attached ? OutboundMessages.descriptorCount(message) : 0;
        boolean more = !attached;
        attached = false;
        progress = 0;
        copied++;
        return more;
    }

    /** Sends descriptors and credentials, which arrive before the record does, if the record's first piece has room. */
    private boolean send(Object message) throws Ring.CorruptException {
        ByteBuf content = OutboundMessages.contentOrEmpty(message);
        if (!ring.isInPlace(content) && !hasRoom(Math.min(content.readableBytes(), ring.longestPiece))) {
            return false;
        }
        errno = doorbell.send(message);
        attached = errno == 0;
        if (!attached) {
            outcome = Outcome.NOT_SENT;
        }
        return attached;
    }

    private boolean copy(ByteBuf content, int length) throws Ring.CorruptException {
        do {
            int piece = Math.min(length - progress, ring.longestPiece);
            if (!hasRoom(piece)) {
                return false;
            }
            boolean last = progress + piece == length;
            ring.put((last ? 0 : Ring.MORE) | (attached && progress == 0 ? Ring.ATTACHMENT : 0), content,
                    content.readerIndex() + progress, piece);
            progress += piece;
            if (!last) {
                publish();
            }
        } while (progress < length);
        return true;
    }

    private boolean hasRoom(int length) throws Ring.CorruptException {
        needed = Ring.space(length);
        if (ring.hasRoom(needed)) {
            return true;
        }
        outcome = Outcome.NO_ROOM;
        copying = true;
        return false;
    }

    private void publish() {
        if (ring.publish()) {
            owner.wake();
        }
    }

    @Override
    public void completeSent() {
        sent.complete();
    }

    /** Returns whether another batch can be copied now. */
    private boolean continueAfter(ChannelOutboundBuffer in, int count) throws Exception {
        return switch (outcome) {
            case COPIED -> count > 0;
            case CONTROL_DATA -> true;
            case NO_ROOM -> await(needed);
            case NOT_SENT -> sent.continueAfter(errno, in);
        };
    }

    /** Continues when there is room, because the peer has read or somebody has released what was built in place. */
    private boolean await(int space) throws Ring.CorruptException {
        awaited = space;
        if (ring.awaitRoom(space)) {
            awaited = 0;
            return true;
        }
        core.counts().count(Counter.WRITE_WAITS);
        interest.add(Interest.WAKE);
        return false;
    }

    /** Whether a message waits for room in the ring. */
    boolean isWaiting() {
        return awaited > 0;
    }

    private void continueIfRoom() {
        if (core.isOnEventLoop()) {
            try {
                lookForRoom();
            } catch (Ring.CorruptException e) {
                owner.corrupt(e);
            }
        }
    }

    private void stopWaiting() {
        if (isWaiting()) {
            awaited = 0;
            interest.remove(Interest.WAKE);
        }
    }

    /** Continues if there is room now. */
    void lookForRoom() throws Ring.CorruptException {
        if (awaited > 0 && ring != null && (ring.hasRoom(awaited) || ring.isConsumerClosed())) {
            core.flushNow();
        }
    }

    /** Asks to be woken when there is room, if a message waits for it; returns whether there is. */
    boolean awaitRoom() throws Ring.CorruptException {
        return awaited > 0 && ring != null && (ring.awaitRoom(awaited) || ring.isConsumerClosed());
    }

    /**
     * Returns memory of the ring for the record that is written next; {@code null} if the bytes would be copied.
     *
     * @param allocator the allocator of the buffer
     */
    ByteBuf reserve(int length, int maxLength, ByteBufAllocator allocator) {
        if (!core.isOnEventLoop() || ring == null || copying) {
            return null;
        }
        try {
            return ring.reserve(length, maxLength, allocator, onRelease);
        } catch (Ring.CorruptException e) {
            // The next write reports it.
            return null;
        }
    }

    /** Somebody has released memory of the ring, on any thread. */
    private void released() {
        if (isWaiting() && core.channel().isRegistered()) {
            try {
                core.channel().eventLoop().execute(continueIfRoom);
            } catch (RejectedExecutionException e) {
                // The event loop was shut down, and the channel is closed.
            }
        }
    }

    /** Whether the peer has left something in the ring. */
    boolean isUnread() {
        return ring != null && ring.isUnread();
    }

    @Override
    public void onReregistered() {
        owner.onReregistered();
    }

    @Override
    public void close() {
        if (ring != null) {
            ring.close();
            ring = null;
        }
    }
}
