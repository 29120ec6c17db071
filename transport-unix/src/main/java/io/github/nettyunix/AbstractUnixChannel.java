package io.github.nettyunix;

import io.github.nettyunix.readiness.Readiness;
import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.UncheckedBooleanSupplier;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ConnectionPendingException;
import java.util.concurrent.TimeUnit;

/**
 * What channels of all types have in common: the socket, the registration with an event loop, bind, connect, the read loop and
 * close. Subclasses say what a read and a write are.
 */
abstract class AbstractUnixChannel extends AbstractChannel implements UnixChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

    /** Only a holder of the same socket can do that to one without a peer. */
    static final String SHUT_DOWN = "another holder of the socket has shut down its input";
    private static final int DESCRIPTORS_LOOKED_AT = 1_000;

    /** What {@link #doReadMessages} answers besides the number of messages. */
    static final int NOTHING = 0;
    static final int END_OF_STREAM = -1;

    final SocketType type;
    final UnixSocket socket;
    final Addresses addresses = new Addresses(this);
    final ReadBuffers readBuffers = new ReadBuffers(this);
    private final UnixChannelConfig config;

    private Readiness readiness;
    private int interest;
    private boolean readPending;
    private final ReadFailures readFailures = new ReadFailures();
    private boolean readScheduled;
    private boolean trusted;
    private int descriptorsSeen;
    private boolean registeredBefore;
    private volatile boolean active;
    private PendingConnect pendingConnect;
    private HandOver handOver;
    private final Runnable flushTask = this::flushLater;
    // The attempt to write that waits for a time, null if none does.
    private Future<?> writeRetry;

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
     * Reads once, and hands what it read to {@link #fireRead}.
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
    void inputClosed() {
    }

    /**
     * Nothing more will come: the peer has gone or will send no more, or, on a socket without a peer, another holder has shut its
     * input down. What has come already is still to be read.
     *
     * @param reading whether a read follows
     */
    abstract void inputEnded(boolean reading);

    /** Whether there are messages that were received and not yet handed on. */
    boolean hasUndelivered() {
        return false;
    }

    /** Hands them on, although nobody is reading. */
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

    /** An exception that tells which channel it is of. */
    final IOException newException(String operation, int errno, String hint) {
        return UnixErrors.newException(operation, type, addresses.endpoint(), errno, hint);
    }

    /**
     * Whether descriptors that arrive may be closed in place without a look at what they are of. A process of our own user, or of root,
     * could stop this one by a signal: what it sends is looked at only so that an accident does not hang the event loop, and no more once
     * many descriptors were harmless.
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

    /** Every loop is: {@link #doRegister} fails for one that is not, with more words than Netty has for it. */
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
        if (isReadingPaused()) {
            // Auto-read may have been turned off while the channel was between two loops.
            interest &= ~Readiness.READ;
        } else if (readPending) {
            // A read that has failed may have been about to be repeated on the loop before.
            interest |= Readiness.READ;
        }
        // A task that stayed behind on the loop before does nothing.
        readScheduled = false;
        readFailures.stopWaiting();
        readiness = registering;
        try {
            if (isReady()) {
                startReadiness();
            }
            return null;
        } catch (IOException e) {
            doDeregister();
            return e;
        }
    }

    /** Goes on with what the channel was waiting for on the loop that it was registered with before. */
    private void resume() {
        resumeWriting();
        flushSoon();
        if (pendingConnect != null) {
            pendingConnect.resume();
        }
    }

    /** Whether this thread may touch the channel: a task that stayed behind on a loop that the channel has left may not. */
    final boolean isAtHome() {
        return isRegistered() && eventLoop().inEventLoop();
    }

    @Override
    protected void doDeregister() {
        cancelWriteRetry();
        if (readiness != null) {
            readiness.cancel();
            readiness = null;
        }
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
        if (readiness != null) {
            try {
                startReadiness();
            } catch (IOException e) {
                active = before;
                throw e;
            }
        }
    }

    /** With auto-read on, reading is about to be asked for: watching for it from the start saves a system call. */
    private void startReadiness() throws IOException {
        try {
            readiness.start(config.isAutoRead() ? interest | Readiness.READ : interest);
        } catch (Readiness.RefusedException e) {
            throw unwatchable(e);
        }
    }

    private void setInterest(int newInterest) {
        if (newInterest != interest) {
            interest = newInterest;
            submitInterest(newInterest);
        }
    }

    private void submitInterest(int wanted) {
        if (readiness == null) {
            return;
        }
        try {
            readiness.interest(wanted);
        } catch (Readiness.RefusedException e) {
            IOException cause = unwatchable(e);
            // Not in the middle of a read or a write.
            eventLoop().execute(() -> {
                if (isOpen()) {
                    pipeline().fireExceptionCaught(cause);
                    unsafe().close(voidPromise());
                }
            });
        }
    }

    private IOException unwatchable(Readiness.RefusedException e) {
        IOException cause = newException(readiness.systemCall(), e.errno(), e.errno() != Errno.ENOSPC ? null
                : "fs.epoll.max_user_watches allows this user no more sockets");
        cause.initCause(e);
        return cause;
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    @Override
    protected void doBeginRead() {
        readPending = true;
        if (readFailures.isWaiting() || handOver != null) {
            return;
        }
        setInterest(interest | Readiness.READ);
        if (hasUndelivered()) {
            // No event will come for it.
            readSoon();
        }
    }

    private void readSoon() {
        if (!readScheduled) {
            readScheduled = true;
            eventLoop().execute(this::readLater);
        }
    }

    private void readLater() {
        if (isAtHome()) {
            readScheduled = false;
            unixUnsafe().readReady();
        }
    }

    /** Auto-read was turned off. */
    final void stopReading() {
        if (!isRegistered()) {
            readPending = false;
            interest &= ~Readiness.READ;
        } else if (eventLoop().inEventLoop()) {
            if (!isDraining()) {
                clearReadInterest();
            }
        } else {
            eventLoop().execute(() -> {
                if (isAtHome() && isReadingPaused()) {
                    clearReadInterest();
                }
            });
        }
    }

    final void clearReadInterest() {
        readPending = false;
        setInterest(interest & ~Readiness.READ);
    }

    /** Whether reads follow one another all the time, with or without success. */
    final boolean isReadTried() {
        return readiness != null && readiness.isTried();
    }

    /** Whether the user wants no more for now. */
    final boolean isReadingPaused() {
        return !readPending && !config.isAutoRead() && !isDraining();
    }

    /** Whether the input is read to its end although no handler asks for it. */
    boolean isDraining() {
        return false;
    }

    /** Reads what comes although no handler asks for it. */
    final void expectRead() {
        setInterest(interest | Readiness.READ);
    }

    /** A turn of reading has ended, and the channel is open. */
    void readTurnEnded(boolean foundNothing) {
    }

    /** Hands a message to the pipeline, which may close the channel, stop reading, or ask for the next one. */
    final void fireRead(Object message) {
        readPending = false;
        pipeline().fireChannelRead(message);
    }

    /** A read has failed and the channel is open: there is no use in trying at once. */
    private void readAfterFailure() {
        setInterest(interest & ~Readiness.READ);
        eventLoop().schedule(() -> {
            if (isAtHome() && readFailures.isWaiting()) {
                readFailures.stopWaiting();
                if (!isReadingPaused()) {
                    doBeginRead();
                }
            }
        }, readFailures.startWaiting(), TimeUnit.MILLISECONDS);
    }

    /** Whom the socket goes to; {@code null} if it stays. */
    final HandOver handOver() {
        return handOver;
    }

    final void setHandOver(HandOver handOver) {
        this.handOver = handOver;
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    /** All flushed messages were written: there is nothing to wait for. */
    final void writeComplete() {
        setInterest(interest & ~Readiness.WRITE);
    }

    /** The socket takes no more: go on when it has room. */
    final void awaitWritable() {
        setInterest(interest | Readiness.WRITE);
    }

    /** Enough was written for now: go on when other channels had their turn. */
    final void yieldWriting() {
        writeComplete();
        flushSoon();
    }

    /** Goes on when other channels had their turn, whatever is waited for. */
    final void flushSoon() {
        eventLoop().execute(flushTask);
    }

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

    /**
     * The kernel is short of what it counts in and will not report when that is over: nothing is written before a delay has
     * passed. There is one such delay at a time.
     */
    final void retryWriting(long delay, TimeUnit unit) {
        if (writeRetry == null) {
            writeRetry = eventLoop().schedule(() -> {
                writeRetry = null;
                flushLater();
            }, delay, unit);
        }
    }

    private void cancelWriteRetry() {
        if (writeRetry != null) {
            writeRetry.cancel(false);
            writeRetry = null;
        }
    }

    /** Writes what is flushed; where the channel has left the loop, the next one does that. */
    final void flushLater() {
        if (isAtHome()) {
            unixUnsafe().flushNow();
        }
    }

    /** The channel was registered: what waits for a time need not wait any more. */
    void resumeWriting() {
    }

    final boolean isAwaitingWritable() {
        return (interest & Readiness.WRITE) != 0;
    }

    // ---- bind, connect, close ---------------------------------------------------------------------------------------

    @Override
    protected void doBind(SocketAddress localAddress) throws Exception {
        addresses.bind(localAddress);
    }

    /** The connect that waits, {@code null} if none does. */
    final PendingConnect pendingConnect() {
        return pendingConnect;
    }

    final void pendingConnectDone() {
        pendingConnect = null;
    }

    /** Whether a connect that the kernel refused has used the channel up, as it has with Netty's own. */
    boolean isClosedByFailedConnect() {
        return true;
    }

    @Override
    protected void doDisconnect() throws Exception {
        doClose();
    }

    /** A write failed with what is no error of the socket. Without an output of its own, the whole channel ends with it. */
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
        if (pendingConnect != null) {
            pendingConnect.fail(new ClosedChannelException());
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

    /** The operations that a channel's pipeline and its event loop ask for. */
    final class UnixUnsafe extends AbstractUnsafe implements Readiness.Listener, UncheckedBooleanSupplier {
        private boolean writingInactive;

        @Override
        public ExtendedHandle recvBufAllocHandle() {
            return (ExtendedHandle) super.recvBufAllocHandle();
        }

        @Override
        public final void connect(SocketAddress remoteAddress, SocketAddress localAddress, ChannelPromise promise) {
            // The promise stays cancellable: a connect can wait for a long time.
            if (promise.isDone() || !ensureOpen(promise)) {
                return;
            }
            // A datagram channel is active once it is bound, which may happen here.
            boolean wasActive = isActive();
            boolean asked = false;
            try {
                if (AbstractUnixChannel.this instanceof AbstractUnixServerChannel) {
                    throw new UnsupportedOperationException("connect of a server");
                }
                if (pendingConnect != null) {
                    throw new ConnectionPendingException();
                }
                if (remoteAddress() != null) {
                    throw new AlreadyConnectedException();
                }
                UnixSocketAddress address = addresses.toUnixAddress("connect", remoteAddress);
                if (localAddress != null) {
                    doBind(localAddress);
                }
                asked = true;
                if (addresses.tryConnect(address)) {
                    connected(promise, wasActive);
                } else {
                    pendingConnect = new PendingConnect(AbstractUnixChannel.this, address, promise);
                    pendingConnect.start();
                }
            } catch (Throwable t) {
                if (asked && isClosedByFailedConnect()) {
                    // As with Netty's channels, before the listeners are notified.
                    close(voidPromise());
                }
                // The listeners may close the channel, as those of a Bootstrap do.
                boolean wasBound = !wasActive && isActive();
                promise.tryFailure(t);
                if (wasBound) {
                    pipeline().fireChannelActive();
                }
                closeIfClosed();
            }
        }

        final void connected(ChannelPromise promise, boolean wasActive) throws IOException {
            activate();
            // The listeners may close the channel, which was active all the same; and the user may have cancelled.
            boolean isActive = isActive();
            boolean wanted = promise.trySuccess();
            if (!wasActive && isActive) {
                pipeline().fireChannelActive();
            }
            if (!wanted) {
                close(voidPromise());
            }
        }

        @Override
        public final boolean readReady() {
            if ((interest & Readiness.READ) != 0) {
                return isOpen() && readNow();
            }
            // A hang-up that nobody asked for; or nobody has asked for the reading that was expected.
            submitInterest(interest);
            return false;
        }

        @Override
        public final boolean isTryingCheap() {
            return AbstractUnixChannel.this.isTryingCheap();
        }

        /**
         * Reads until there is nothing left, the user wants no more, or others want their turn. Returns false, and notifies nobody,
         * if there was nothing.
         */
        final boolean readNow() {
            ChannelPipeline pipeline = pipeline();
            ExtendedHandle allocHandle = recvBufAllocHandle();
            allocHandle.reset(config);
            Throwable cause = null;
            int result = NOTHING;
            int count = 0;
            try {
                do {
                    result = doReadMessages(allocHandle, count);
                    count += result;
                } while (result > 0 && isOpen() && allocHandle.continueReading(this));
            } catch (Throwable t) {
                cause = t;
            }
            if (result == NOTHING && count == 0 && cause == null) {
                readTurnEnded(true);
                return false;
            }
            if (result == END_OF_STREAM) {
                readPending = false;
            }
            allocHandle.readComplete();
            pipeline.fireChannelReadComplete();
            if (cause == null) {
                readFailures.succeeded();
            } else if (readFailures.isNew(cause)) {
                pipeline.fireExceptionCaught(cause);
            }
            if (result == END_OF_STREAM || cause instanceof IOException || cause instanceof OutOfMemoryError) {
                inputClosed();
            }
            if (isOpen()) {
                if (isReadingPaused()) {
                    clearReadInterest();
                } else if (cause != null) {
                    readAfterFailure();
                }
                readTurnEnded(false);
            }
            return true;
        }

        /** Whether the allocator should expect more, if it has not seen enough for one turn. */
        @Override
        public final boolean get() {
            return maybeMoreToRead(recvBufAllocHandle());
        }

        @Override
        public final void peerClosed() {
            if (isActive() && handOver == null) {
                inputEnded((interest & Readiness.READ) != 0);
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
            // While we wait for room, or for a time, there is no use in trying.
            if (!isAwaitingWritable() && writeRetry == null || passesPeer()) {
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

        /** Netty's own would fail whatever was written. */
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
