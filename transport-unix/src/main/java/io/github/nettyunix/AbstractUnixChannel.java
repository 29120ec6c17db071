package io.github.nettyunix;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.ChannelSettings;
import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.UnixPipeline;
import io.github.nettyunix.internal.endpoint.AdoptedSocket;
import io.github.nettyunix.internal.endpoint.ConnectAttempt;
import io.github.nettyunix.internal.endpoint.Endpoint;
import io.github.nettyunix.internal.endpoint.HandOver;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.github.nettyunix.internal.read.ChannelReader;
import io.github.nettyunix.internal.read.ReadLoop;
import io.github.nettyunix.internal.read.RecordMark;
import io.github.nettyunix.internal.readiness.Interest;
import io.github.nettyunix.internal.readiness.Readiness;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.github.nettyunix.internal.write.WriteSchedule;
import io.netty.channel.AbstractChannel;
import io.netty.channel.Channel;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPipeline;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoop;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ServerChannel;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannel;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * The parts that channels of all types have in common: the socket, the registration with an event loop, bind, connect,
 * the read loop and close. Subclasses determine what a read and a write are.
 */
abstract class AbstractUnixChannel extends AbstractChannel implements UnixChannel {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, 16);

    final SocketType type;
    final UnixSocket socket;
    final ChannelSettings settings;
    final ChannelCounts counts = new ChannelCounts();
    final Endpoint endpoint = new Endpoint(core());
    final Interest interest = new Interest(core());
    final ReadLoop readLoop = new ReadLoop(core(), core(), interest);
    final WriteSchedule writeSchedule = new WriteSchedule(core(), interest);
    private final AbstractUnixChannelConfig config;

    private boolean registeredBefore;
    private volatile boolean active;
    private ConnectAttempt connectAttempt;
    private HandOver handOver;

    /** @param mark what marks the socket's records; {@code null} where empty ones cannot be mistaken */
    AbstractUnixChannel(Channel parent, SocketType type, SocketOptions options, UnixSocket socket,
            RecvByteBufAllocator allocator, RecordMark mark) {
        super(parent);
        this.type = type;
        this.socket = socket;
        settings = new ChannelSettings(this, type, socket, mark);
        config = this instanceof ServerChannel
                ? new UnixServerChannelConfig(this, allocator, options, settings, readLoop)
                : new UnixChannelConfig(this, allocator, options, settings, readLoop);
    }

    /** Creates a channel for an existing socket, which remains the caller's if this fails. */
    static <C extends AbstractUnixChannel> C adopt(AdoptedSocket adopted, Function<UnixSocket, C> newChannel) {
        C channel = newChannel.apply(adopted.take());
        channel.settings.controlData().adopt();
        if (adopted.isActive()) {
            channel.setActive(adopted.local(), adopted.peer());
        }
        return channel;
    }

    /** Creates two connected channels. */
    static <C extends AbstractUnixChannel> List<C> pair(SocketType type, Function<UnixSocket, C> newChannel) {
        List<C> pair = NativeTransport.newPair(type, newChannel);
        pair.forEach(channel -> channel.setActive(UnixSocketAddress.unnamed(), UnixSocketAddress.unnamed()));
        return pair;
    }

    abstract ChannelReader reader();

    abstract ChannelWriter writer();

    /** The end of the stream was read, or an error, which has been reported. */
    abstract void inputClosed(boolean failed);

    /**
     * Nothing more will arrive: the peer is gone or will send no more, or, on a socket without a peer, another holder
     * has shut down its input. What has arrived already must still be read.
     *
     * @param reading whether a read follows
     */
    abstract void inputEnded(boolean reading);

    /** The socket is connected: begins what is to follow before the channel is active; returns whether nothing is. */
    boolean establish() throws IOException {
        return true;
    }

    /** Whether the socket needs no peer: it can be watched, and send, before it is connected. */
    boolean isConnectionless() {
        return false;
    }

    @Override
    protected final UnixUnsafe newUnsafe() {
        return new UnixUnsafe();
    }

    /** {@link #unsafe()}, whose type is public since users call it. */
    final UnixUnsafe core() {
        return (UnixUnsafe) unsafe();
    }

    @Override
    protected final DefaultChannelPipeline newChannelPipeline() {
        return new UnixPipeline(this);
    }

    @Override
    public AbstractUnixChannelConfig config() {
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
        return endpoint.local();
    }

    @Override
    public UnixSocketAddress remoteAddress() {
        return endpoint.remote();
    }

    @Override
    protected final UnixSocketAddress localAddress0() {
        return endpoint.local();
    }

    @Override
    protected final UnixSocketAddress remoteAddress0() {
        return endpoint.remote();
    }

    /** The socket was active before it became a channel's. */
    void setActive(UnixSocketAddress local, UnixSocketAddress remote) {
        endpoint.set(local, remote);
        active = true;
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
        Readiness.Selector selector = NativeTransport.selectorOf(eventLoop());
        if (selector == null) {
            promise.setFailure(SocketErrors.newForeignLoop(type, eventLoop()));
            return;
        }
        Readiness registering = selector.newReadiness(socket, core());
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
                onReregistered();
            }
            registeredBefore = true;
        });
    }

    /** Begins to watch the socket, if it can be watched; returns why that failed. */
    private Throwable registered(Readiness registering) {
        counts.registered(eventLoop());
        readLoop.registered();
        interest.registered(registering);
        try {
            if (active || isConnectionless() || interest.contains(Interest.WAKE)) {
                interest.start();
            }
            return null;
        } catch (IOException e) {
            doDeregister();
            return e;
        }
    }

    /** Continues what the channel was waiting for on its previous loop. */
    private void onReregistered() {
        writer().onReregistered();
        readLoop.onReregistered();
        writeSchedule.flushSoon();
        if (connectAttempt != null) {
            connectAttempt.onReregistered();
        }
    }

    @Override
    protected void doDeregister() {
        writer().deregistered();
        writeSchedule.cancelRetry();
        interest.cancel();
    }

    @Override
    protected void doBeginRead() {
        readLoop.begin();
    }

    @Override
    protected final Object filterOutboundMessage(Object message) throws Exception {
        return writer().filter(message);
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) throws Exception {
        writer().write(in, maxMessagesPerWrite());
    }

    // ---- bind, connect, close ---------------------------------------------------------------------------------------

    @Override
    protected void doBind(SocketAddress localAddress) throws Exception {
        endpoint.bind(localAddress);
    }

    @Override
    protected void doDisconnect() throws Exception {
        doClose();
    }

    /**
     * Called after a write that failed for a reason other than the socket. A channel whose output cannot end separately
     * closes.
     */
    @Override
    protected void doShutdownOutput() throws Exception {
        unsafe().close(voidPromise());
    }

    @Override
    protected void doClose() throws Exception {
        if (!socket.isOpen()) {
            return;
        }
        reader().close();
        writer().completeSent();
        active = false;
        if (handOver != null) {
            handOver.closed();
        }
        if (connectAttempt != null) {
            connectAttempt.fail(new ClosedChannelException());
        }
        endpoint.removeFile();
        if (isRegistered()) {
            if (eventLoop().inEventLoop()) {
                doDeregister();
            } else {
                eventLoop().execute(this::doDeregister);
            }
        }
        socket.close();
        writer().close();
    }

    /** The operations that the channel's pipeline, its event loop and its parts call. */
    final class UnixUnsafe extends AbstractUnsafe
            implements Readiness.Listener, ChannelCore, ReadLoop.Owner, ConnectAttempt.Owner, HandOver.Owner {
        private boolean writingInactive;

        @Override
        public Channel channel() {
            return AbstractUnixChannel.this;
        }

        @Override
        public SocketType type() {
            return type;
        }

        @Override
        public UnixSocket socket() {
            return socket;
        }

        @Override
        public ChannelSettings settings() {
            return settings;
        }

        @Override
        public ChannelCounts counts() {
            return counts;
        }

        @Override
        public ChannelReader reader() {
            return AbstractUnixChannel.this.reader();
        }

        @Override
        public ChannelWriter writer() {
            return AbstractUnixChannel.this.writer();
        }

        @Override
        public boolean readReady() {
            return reader().onReadable() && readLoop.readReady();
        }

        @Override
        public Readiness.Poller poller() {
            return readLoop;
        }

        @Override
        public void peerClosed() {
            if (isActive() && handOver == null) {
                reader().onHangUp();
                inputEnded(interest.contains(Readiness.READ));
            }
        }

        @Override
        public void refused(Readiness.RefusedException cause) {
            interest.refused(cause);
        }

        @Override
        public void inputClosed(boolean failed) {
            AbstractUnixChannel.this.inputClosed(failed);
        }

        @Override
        public HandOver handOver() {
            return handOver;
        }

        @Override
        public void setHandOver(HandOver started) {
            handOver = started;
        }

        @Override
        public void writeReady() {
            writer().onWritable();
            flushNow();
        }

        @Override
        protected void flush0() {
            writer().flushed();
            if (!writeSchedule.isWaiting() || writer().canBypassPeer()) {
                flushNow();
            }
        }

        @Override
        public void flushNow() {
            if (handOver != null && handOver.isGivenAway()) {
                return;
            }
            if (isActive() || !isConnectionless() || !isOpen()) {
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
        public void validate(DefaultFileRegion region, long position) throws IOException {
            validateFileRegion(region, position);
        }

        @Override
        public void connect(SocketAddress remoteAddress, SocketAddress localAddress, ChannelPromise promise) {
            // The promise stays cancellable: a connect can wait for a long time.
            if (!promise.isDone() && ensureOpen(promise)
                    && !ConnectAttempt.connect(this, this, endpoint, remoteAddress, localAddress, promise)) {
                closeIfClosed();
            }
        }

        @Override
        public ConnectAttempt connectAttempt() {
            return connectAttempt;
        }

        @Override
        public void setConnectAttempt(ConnectAttempt attempt) {
            connectAttempt = attempt;
        }

        @Override
        public void bindTo(SocketAddress localAddress) throws Exception {
            doBind(localAddress);
        }

        @Override
        public boolean establish() throws IOException {
            return AbstractUnixChannel.this.establish();
        }

        @Override
        public void activate() throws IOException {
            boolean before = active;
            active = true;
            try {
                interest.start();
            } catch (IOException e) {
                active = before;
                throw e;
            }
        }

        @Override
        public boolean isClosedByFailedConnect() {
            return !isConnectionless();
        }

        /** What follows a close waits until the kernel lets go of the socket. */
        @Override
        protected Executor prepareToClose() {
            return interest.closeHeld(AbstractUnixChannel.this::doClose);
        }

        @Override
        public void closeByLoop() {
            close(voidPromise());
        }
    }
}
