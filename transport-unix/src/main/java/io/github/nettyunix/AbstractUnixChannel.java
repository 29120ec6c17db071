package io.github.nettyunix;

import io.github.nettyunix.internal.UnixPipeline;
import io.github.nettyunix.readiness.Readiness;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;

/**
 * What channels of all types have in common: the socket, the registration with an event loop, bind, connect, the read
 * loop and close. Subclasses say what a read and a write are.
 */
abstract class AbstractUnixChannel extends AbstractChannel implements UnixChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

    /** On a socket without a peer, only another holder of the socket can do that. */
    static final String SHUT_DOWN = "another holder of the socket has shut down its input";
    private static final int DESCRIPTORS_LOOKED_AT = 1_000;

    /** Results of {@link #doReadMessages} besides the number of messages. */
    static final int NOTHING = 0;
    static final int END_OF_STREAM = -1;

    final SocketType type;
    final UnixSocket socket;
    final Addresses addresses = new Addresses(this);
    final ReadBuffers readBuffers = new ReadBuffers(this);
    final Interest interest = new Interest(this);
    final ReadLoop readLoop = new ReadLoop(this);
    final WriteSchedule writeSchedule = new WriteSchedule(this);
    private final UnixChannelConfig config;

    private boolean trusted;
    private int descriptorsSeen;
    private boolean registeredBefore;
    private volatile boolean active;
    private ConnectAttempt connectAttempt;
    private HandOver handOver;

    AbstractUnixChannel(Channel parent, SocketType type, UnixSocket socket, RecvByteBufAllocator allocator) {
        super(parent);
        this.type = type;
        this.socket = socket;
        config = new UnixChannelConfig(this, allocator);
    }

    /** A new socket. */
    static UnixSocket newSocket(SocketType type) {
        UnixTransport.ensureAvailability();
        int fd = UnixSocket.newSocket(type.ordinal());
        if (fd < 0) {
            throw UnixErrors.newUnchecked("socket", type, null, fd, null);
        }
        return new UnixSocket(fd);
    }

    /**
     * Reads once, and hands what it read to {@link ReadLoop#fireRead}.
     *
     * @param before how many messages were read in this turn already
     * @return the number of messages, {@link #NOTHING} or {@link #END_OF_STREAM}
     */
    abstract int doReadMessages(ExtendedHandle allocHandle, int before) throws Exception;

    /** Whether another read may find more. */
    abstract boolean maybeMoreToRead(ExtendedHandle allocHandle);

    /** Whether a read that finds nothing costs little more than the system call. */
    boolean isTryingCheap() {
        return true;
    }

    /** The end of the stream was read, or an error, which has been reported. */
    void inputClosed(boolean failed) {
    }

    /**
     * Nothing more will come: the peer has gone or will send no more, or, on a socket without a peer, another holder
     * has shut its input down. What has come already is still to be read.
     *
     * @param reading whether a read follows
     */
    abstract void inputEnded(boolean reading);

    /** Whether received messages have not been fired through the pipeline yet. */
    boolean hasUndelivered() {
        return false;
    }

    /** Fires them, although no read was requested. */
    void drain() {
    }

    /** What marks the socket's records; {@code null} where empty ones cannot be mistaken. */
    RecordMarks recordMarks() {
        return null;
    }

    @Override
    protected final UnixUnsafe newUnsafe() {
        return new UnixUnsafe();
    }

    /** {@link #unsafe()}, whose type is public since users call it. */
    final UnixUnsafe unixUnsafe() {
        return (UnixUnsafe) unsafe();
    }

    @Override
    protected final DefaultChannelPipeline newChannelPipeline() {
        return new UnixPipeline(this);
    }

    @Override
    public UnixChannelConfig config() {
        return config;
    }

    @Override
    public final FileDescriptor fd() {
        return socket;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    public boolean isOpen() {
        return socket.isOpen();
    }

    @Override
    public boolean isActive() {
        return active;
    }

    @Override
    public UnixSocketAddress localAddress() {
        return addresses.local();
    }

    @Override
    public UnixSocketAddress remoteAddress() {
        return addresses.remote();
    }

    @Override
    protected final UnixSocketAddress localAddress0() {
        return addresses.local();
    }

    @Override
    protected final UnixSocketAddress remoteAddress0() {
        return addresses.remote();
    }

    /** The socket was active before it became a channel's. */
    final void setActive(UnixSocketAddress local, UnixSocketAddress remote) {
        addresses.set(local, remote);
        active = true;
    }

    /** Returns an exception that names this channel. */
    final IOException newException(String operation, int errno, String hint) {
        return UnixErrors.newException(operation, type, addresses.endpoint(), errno, hint);
    }

    /**
     * Whether descriptors that arrive may be closed in place without a look at what they are of. A process of our own
     * user, or of root, could stop this one by a signal: what it sends is looked at only so that an accident does not
     * hang the event loop, and no more once many descriptors were harmless.
     *
     * @param count how many have arrived now
     */
    final boolean isTrustedWith(int count) {
        if (count > 0 && descriptorsSeen < DESCRIPTORS_LOOKED_AT) {
            descriptorsSeen += count;
            trusted = descriptorsSeen >= DESCRIPTORS_LOOKED_AT && PeerIdentity.isOwnUserOrRoot(socket);
            return false;
        }
        return trusted;
    }

    // ---- registration -----------------------------------------------------------------------------------------------

    /**
     * Returns true for every loop: {@link #doRegister} fails for an incompatible one, with a better message than
     * Netty's.
     */
    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected void doRegister(ChannelPromise promise) {
        Readiness.Selector selector = UnixTransport.selectorOf(eventLoop());
        if (selector == null) {
            promise.setFailure(UnixErrors.newForeignLoop(type, eventLoop()));
            return;
        }
        Readiness registering = selector.newReadiness(socket, unixUnsafe());
        registering.register((IoEventLoop) eventLoop()).addListener(future -> {
            Throwable cause = future.cause();
            if (cause == null) {
                cause = registered(registering);
            }
            if (cause != null) {
                promise.setFailure(cause);
                return;
            }
            promise.setSuccess();
            if (registeredBefore) {
                resume();
            }
            registeredBefore = true;
        });
    }

    /** Begins to watch the socket, if it can be watched; returns why that failed. */
    private Throwable registered(Readiness registering) {
        readLoop.registered();
        interest.registered(registering);
        try {
            if (isReady()) {
                interest.start();
            }
            return null;
        } catch (IOException e) {
            doDeregister();
            return e;
        }
    }

    /** Continues what the channel was waiting for on its previous loop. */
    private void resume() {
        resumeWriting();
        writeSchedule.flushSoon();
        if (connectAttempt != null) {
            connectAttempt.onReregistered();
        }
    }

    /**
     * Whether this thread may touch the channel: a task that stayed behind on a loop that the channel has left may not.
     */
    final boolean isAtHome() {
        return isRegistered() && eventLoop().inEventLoop();
    }

    @Override
    protected void doDeregister() {
        writeSchedule.cancelRetry();
        interest.cancel();
    }

    /** Whether the socket is one that can be watched: a listening, connected or connectionless one. */
    boolean isReady() {
        return active;
    }

    /**
     * The channel has become active.
     *
     * @throws IOException if the socket cannot be watched, and the channel is not active
     */
    final void activate() throws IOException {
        boolean before = active;
        active = true;
        try {
            interest.start();
        } catch (IOException e) {
            active = before;
            throw e;
        }
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    @Override
    protected void doBeginRead() {
        readLoop.begin();
    }

    /** Whether the input is read to its end without requests from handlers. */
    boolean isDraining() {
        return false;
    }

    /** A turn of reading has ended, and the channel is open. */
    void readTurnEnded(boolean foundNothing) {
    }

    /** Returns the handover in progress; {@code null} if there is none. */
    final HandOver handOver() {
        return handOver;
    }

    final void setHandOver(HandOver handOver) {
        this.handOver = handOver;
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    /** What was written may be sent. */
    void flushed() {
    }

    /** Whether something can be sent by a channel that is not active. */
    boolean isSendingInactive() {
        return false;
    }

    /** The socket has room again. */
    void peerReady() {
    }

    /** The kernel has refused to send a message to the socket's peer, for another reason than a lack of room. */
    void writeRefused(int errno) {
    }

    /** Whether some messages can be sent although the socket's peer takes no more. */
    boolean passesPeer() {
        return false;
    }

    /** The channel was registered again: writes that wait for a delay may continue at once. */
    void resumeWriting() {
    }

    // ---- bind, connect, close ---------------------------------------------------------------------------------------

    @Override
    protected void doBind(SocketAddress localAddress) throws Exception {
        addresses.bind(localAddress);
    }

    /** Returns the connect that waits for room in the server's backlog; {@code null} if there is none. */
    final ConnectAttempt connectAttempt() {
        return connectAttempt;
    }

    final void setConnectAttempt(ConnectAttempt connectAttempt) {
        this.connectAttempt = connectAttempt;
    }

    /** Whether a connect that the kernel refused has used the channel up, as it has with Netty's own. */
    boolean isClosedByFailedConnect() {
        return true;
    }

    @Override
    protected void doDisconnect() throws Exception {
        doClose();
    }

    /**
     * A write failed with what is no error of the socket. Without an output of its own, the whole channel ends with it.
     */
    @Override
    protected void doShutdownOutput() throws Exception {
        unsafe().close(voidPromise());
    }

    @Override
    protected void doClose() throws Exception {
        active = false;
        if (handOver != null) {
            handOver.closed();
        }
        if (connectAttempt != null) {
            connectAttempt.fail(new ClosedChannelException());
        }
        readBuffers.close();
        addresses.removeFile();
        if (isRegistered()) {
            if (eventLoop().inEventLoop()) {
                doDeregister();
            } else {
                eventLoop().execute(this::doDeregister);
            }
        }
        socket.close();
    }

    /** The operations that the channel's pipeline and its event loop call. */
    final class UnixUnsafe extends AbstractUnsafe implements Readiness.Listener {
        private boolean writingInactive;

        @Override
        public ExtendedHandle recvBufAllocHandle() {
            return (ExtendedHandle) super.recvBufAllocHandle();
        }

        @Override
        public final void connect(SocketAddress remoteAddress, SocketAddress localAddress, ChannelPromise promise) {
            // The promise stays cancellable: a connect can wait for a long time.
            if (!promise.isDone() && ensureOpen(promise)
                    && !ConnectAttempt.connect(AbstractUnixChannel.this, remoteAddress, localAddress, promise)) {
                closeIfClosed();
            }
        }

        @Override
        public final boolean readReady() {
            return readLoop.readReady();
        }

        @Override
        public final boolean isTryingCheap() {
            return AbstractUnixChannel.this.isTryingCheap();
        }

        @Override
        public final void peerClosed() {
            if (isActive() && handOver == null) {
                inputEnded(interest.contains(Readiness.READ));
            }
        }

        @Override
        public final void writeReady() {
            peerReady();
            flushNow();
        }

        @Override
        protected void flush0() {
            flushed();
            if (!writeSchedule.isWaiting() || passesPeer()) {
                flushNow();
            }
        }

        final void flushNow() {
            if (isActive() || !isSendingInactive() || !isOpen()) {
                super.flush0();
            } else {
                writeInactive();
            }
            if (handOver != null) {
                handOver.wrote();
            }
        }

        /** Netty's implementation would fail all written messages. */
        private void writeInactive() {
            ChannelOutboundBuffer in = outboundBuffer();
            if (in != null && !in.isEmpty() && !writingInactive) {
                writingInactive = true;
                try {
                    doWrite(in);
                } catch (Throwable t) {
                    handleWriteError(t);
                } finally {
                    writingInactive = false;
                }
            }
        }

        @Override
        public final void closeByLoop() {
            close(voidPromise());
        }
    }

    @Override
    protected abstract void doWrite(ChannelOutboundBuffer in) throws Exception;

    @Override
    protected abstract Object filterOutboundMessage(Object message) throws Exception;
}
