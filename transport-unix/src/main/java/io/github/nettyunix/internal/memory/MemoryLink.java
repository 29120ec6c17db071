package io.github.nettyunix.internal.memory;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.read.ChannelReader;
import io.github.nettyunix.internal.read.ReadLoop;
import io.github.nettyunix.internal.readiness.Interest;
import io.github.nettyunix.internal.readiness.Readiness;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.github.nettyunix.internal.write.WriteSchedule;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * What a channel with shared memory has besides its socket: two rings, a handshake that establishes them, and what the
 * socket reports. To be used on the channel's event loop.
 */
public final class MemoryLink implements ChannelReader, MemoryWriter.Owner {
    private static final long RETRY_MILLIS = 10;

    /** The effects of the handshake on the channel. */
    public interface Owner {
        /** The rings are established: the channel becomes active. */
        void established() throws IOException;

        /** The handshake has failed: the channel closes. */
        void refused(IOException cause);
    }

    private final ChannelCore core;
    private final ReadLoop readLoop;
    private final Interest interest;
    private final Owner owner;
    private final boolean server;
    private final Doorbell doorbell;
    private final MemoryReader reader;
    private final MemoryWriter writer;
    private final ByteBufAllocator allocator;
    // null if it is over, or has not begun.
    private Handshake handshake;
    // The client's ring during the handshake.
    private RingProducer offered;
    private Future<?> timeout;
    private Future<?> wakeRetry;
    // What the socket has failed with, for the next read.
    private IOException failure;
    private boolean peerGone;
    private boolean inputEnded;

    /** @param server whether the peer begins the handshake */
    public MemoryLink(ChannelCore core, ReadLoop readLoop, WriteSchedule schedule, Interest interest, boolean server,
            Owner owner) {
        this.core = core;
        this.readLoop = readLoop;
        this.interest = interest;
        this.server = server;
        this.owner = owner;
        doorbell = new Doorbell(core);
        reader = new MemoryReader(core, readLoop, doorbell, this::wake);
        writer = new MemoryWriter(core, schedule, interest, this, doorbell);
        allocator = new RingAllocator(core.channel(), writer);
        if (server) {
            handshake = new Handshake(core, Operation.ACCEPT);
            interest.prepare(Interest.WAKE, true);
        }
    }

    public ChannelWriter writer() {
        return writer;
    }

    /** Returns an allocator whose direct buffers are in the memory that the peer reads from, if there is room. */
    public ByteBufAllocator allocator() {
        return allocator;
    }

    // ---- the handshake ----------------------------------------------------------------------------------------------

    /** Whether the channel is not active because the rings are not established yet. */
    public boolean isShakingHands() {
        return handshake != null;
    }

    /** Begins the handshake of a client. */
    public void offer() throws IOException {
        Handshake begun = new Handshake(core, Operation.CONNECT);
        offered = begun.sendRing(Handshake.HELLO, core.settings().sharedMemoryCapacity());
        handshake = begun;
        interest.add(Interest.WAKE);
        interest.start();
    }

    /** The channel of an accepted connection was registered: its peer has so much time for the handshake. */
    public void awaitOffer() {
        int millis = core.channel().config().getConnectTimeoutMillis();
        if (handshake != null && server && millis > 0) {
            cancelTimeout();
            timeout = core.channel().eventLoop().schedule(() -> {
                if (handshake != null && core.isOnEventLoop()) {
                    refuse(SocketErrors.newException(Operation.ACCEPT, core.type(), core.endpointAddress(),
                            Errno.ETIMEDOUT, "the peer has sent no handshake for " + millis + " ms"));
                }
            }, millis, TimeUnit.MILLISECONDS);
        }
    }

    private void cancelTimeout() {
        if (timeout != null) {
            timeout.cancel(false);
            timeout = null;
        }
    }

    private void continueHandshake() {
        try {
            Object received = handshake.receiveRing(server ? Handshake.HELLO : Handshake.ACCEPT);
            if (received == Handshake.ENDED) {
                if (server) {
                    // As a connection that closes before it has sent anything.
                    core.close();
                } else {
                    refuse(SocketErrors.newException(Operation.CONNECT, core.type(), core.endpointAddress(),
                            Errno.EPROTO, "the peer has closed the connection in the handshake"));
                }
            } else if (received != Handshake.NOTHING) {
                establish((RingConsumer) received);
            }
        } catch (IOException e) {
            if (server && handshake != null) {
                handshake.refuse(e.getMessage());
            }
            refuse(e);
        } catch (OutOfMemoryError e) {
            IOException cause = core.newException(server ? Operation.ACCEPT : Operation.CONNECT, Errno.ENOMEM, null);
            cause.initCause(e);
            refuse(cause);
        }
    }

    private void establish(RingConsumer received) throws IOException {
        RingProducer ours = offered;
        offered = null;
        try {
            if (server) {
                ours = handshake.sendRing(Handshake.ACCEPT, core.settings().sharedMemoryCapacity());
            }
        } catch (Throwable t) {
            received.close();
            throw t;
        }
        start(ours, received);
        handshake = null;
        cancelTimeout();
        owner.established();
        interest.remove(Interest.WAKE);
    }

    private void start(RingProducer producer, RingConsumer consumer) {
        writer.start(producer);
        reader.start(consumer);
    }

    private void refuse(IOException cause) {
        handshake = null;
        owner.refused(cause);
    }

    /** Connects two channels of this process, whose sockets are connected. */
    public static void connect(MemoryLink one, MemoryLink other) throws IOException {
        Object[] there = Handshake.newRing(one.core, other.core);
        Object[] back;
        try {
            back = Handshake.newRing(other.core, one.core);
        } catch (IOException e) {
            ((Ring) there[0]).close();
            ((Ring) there[1]).close();
            throw e;
        }
        one.start((RingProducer) there[0], (RingConsumer) back[1]);
        other.start((RingProducer) back[0], (RingConsumer) there[1]);
    }

    // ---- events -----------------------------------------------------------------------------------------------------

    @Override
    public boolean onReadable() {
        if (handshake != null) {
            continueHandshake();
            return false;
        }
        receive();
        lookForRoom();
        return core.channel().isOpen();
    }

    private void receive() {
        if (!core.channel().isOpen()) {
            // The event before this one has closed it.
            return;
        }
        try {
            if (!doorbell.receive() && !interest.contains(Readiness.READ)) {
                // Only the records in the ring can make room for more, and nobody reads them.
                interest.remove(Interest.WAKE);
            }
        } catch (IOException e) {
            failure = e;
        } catch (Ring.CorruptException e) {
            corrupt(e);
        }
    }

    @Override
    public boolean isInMemory() {
        return true;
    }

    @Override
    public void onPoll() {
        lookForRoom();
    }

    private void lookForRoom() {
        try {
            writer.lookForRoom();
        } catch (Ring.CorruptException e) {
            corrupt(e);
        }
    }

    @Override
    public boolean canSleep() {
        try {
            return !(interest.contains(Readiness.READ) && reader.await()) && !writer.awaitRoom();
        } catch (Ring.CorruptException e) {
            corrupt(e);
            return false;
        }
    }

    @Override
    public void onHangUp() {
        receive();
        if (core.socket().isInputShutdown()) {
            endInput();
        }
        if (core.channel().isOpen() && isPeerGone() && writer.isWaiting()) {
            core.flushNow();
        }
    }

    private void endInput() {
        if (!inputEnded) {
            inputEnded = true;
            try {
                reader.endInput();
                wake();
            } catch (Ring.CorruptException e) {
                corrupt(e);
            }
        }
    }

    /** Whether nothing follows what is in the ring. */
    private boolean isInputEnded() {
        return inputEnded || doorbell.isEnded();
    }

    /**
     * Whether the peer is gone. A socket whose output was shut down here looks hung up as soon as the peer sends no
     * more.
     */
    private boolean isPeerGone() {
        peerGone = peerGone || !core.socket().isOutputShutdown() && core.socket().isHungUp();
        return peerGone;
    }

    @Override
    public boolean isPeerKnownGone() {
        return peerGone;
    }

    @Override
    public void onReregistered() {
        awaitOffer();
        // The peer's last wake-up may not have reached the previous loop.
        Channel channel = core.channel();
        channel.eventLoop().execute(() -> {
            if (core.isOnEventLoop()) {
                lookForRoom();
                if (interest.contains(Readiness.READ)) {
                    readLoop.readReady();
                }
            }
        });
    }

    @Override
    public void wake() {
        Channel channel = core.channel();
        if (!channel.isOpen() || wakeRetry != null) {
            return;
        }
        int errno = doorbell.ring();
        if (Errno.isShortage(errno)) {
            // No event reports when the kernel has memory again.
            if (channel.isRegistered()) {
                wakeRetry = channel.eventLoop().schedule(() -> {
                    wakeRetry = null;
                    wake();
                }, RETRY_MILLIS, TimeUnit.MILLISECONDS);
            }
        } else if (errno != 0 && errno != Errno.EPIPE && errno != Errno.ECONNRESET && errno != Errno.ENOTCONN) {
            // The peer may sleep for ever. Not in the middle of a read or a write.
            channel.eventLoop().execute(() -> {
                if (core.isOnEventLoop() && channel.isOpen()) {
                    channel.pipeline().fireExceptionCaught(core.newException(Operation.WRITE, errno,
                            "the peer cannot be woken"));
                    core.close();
                }
            });
        }
    }

    @Override
    public void corrupt(Ring.CorruptException cause) {
        Channel channel = core.channel();
        if (channel.isOpen()) {
            channel.pipeline().fireExceptionCaught(core.newException(Operation.READ, Errno.EPROTO,
                    cause.getMessage()));
            core.close();
        }
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    @Override
    public boolean maybeMore() {
        return hasMessages();
    }

    @Override
    public boolean hasMessages() {
        try {
            return reader.hasNext();
        } catch (Ring.CorruptException e) {
            // The read that follows reports it.
            return true;
        }
    }

    /** Unlike a socket, memory causes no event unless the producer was asked for one. */
    @Override
    public boolean awaitMessages() {
        try {
            // A loop that polls the channel reads in its next turn, and asks before it sleeps.
            return reader.isOpen() && (isInputEnded() || !interest.isPolled() && reader.await());
        } catch (Ring.CorruptException e) {
            return true;
        }
    }

    @Override
    public int read(ExtendedHandle allocHandle, int before) throws IOException {
        IOException cause = failure;
        if (cause != null) {
            failure = null;
            throw cause;
        }
        int count = 0;
        boolean more = false;
        try {
            count = reader.read(allocHandle, before);
            if (writer.isWaiting()) {
                // A record's attachment may have been behind the socket's word that there is room.
                lookForRoom();
            }
            more = reader.hasNext();
            if (!more && doorbell.waiting() > 1) {
                // A record follows what comes with it at once, before anything comes with the next one.
                throw new Ring.CorruptException("the peer has sent descriptors on the socket without their records");
            }
        } catch (Ring.CorruptException e) {
            corrupt(e);
        }
        return count > 0 || more || !reader.isOpen() || !isInputEnded() ? count : end();
    }

    private int end() throws IOException {
        boolean unfinished = reader.dropUnfinished();
        if ((unfinished || writer.isUnread()) && isPeerGone()) {
            throw core.newException(Operation.READ, Errno.ECONNRESET,
                    unfinished ? "the peer has ended in the middle of a record" : null);
        }
        return END_OF_STREAM;
    }

    @Override
    public void close() {
        handshake = null;
        cancelTimeout();
        if (offered != null) {
            offered.close();
            offered = null;
        }
        doorbell.close();
        reader.close();
    }
}
