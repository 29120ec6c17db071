package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.ReceiveBatch;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.DomainDatagramChannel;
import io.netty.channel.unix.DomainDatagramPacket;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.List;

/**
 * A socket that carries records without a connection (SOCK_DGRAM), and descriptors and credentials with them. Nothing
 * is lost or reordered on the way. Datagrams may be empty.
 *
 * <p>Packets that name their recipient can be sent as soon as it is registered. It is active once it is bound or
 * connected, or from its registration on with
 * {@link io.netty.channel.ChannelOption#DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION}, which a handler needs that waits for
 * {@code channelActive} on a channel that will be neither. To be answered it must be bound;
 * {@link UnixSocketAddress#autobind()} will do on Linux.
 *
 * <p>Read are {@link DomainDatagramPacket}s, or with {@link UnixSocketOption#RECEIVE_CONTROL_DATA}
 * {@link UnixDatagramPacket}s; the sender is never {@code null}. Written are these, any other
 * {@link io.netty.channel.AddressedEnvelope} of a {@link ByteBuf}, and on a connected channel {@link ByteBuf}s,
 * {@link UnixMessage}s and {@link io.netty.channel.unix.FileDescriptor}s, which go with an empty datagram. A message
 * that cannot be sent fails its own promise only. What happens when the recipient does not keep up is up to
 * {@link UnixSocketOption#DATAGRAM_QUEUE_FULL}.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class UnixDatagramChannel extends AbstractUnixChannel implements DomainDatagramChannel, UnixPeer {
    private static final ChannelMetadata METADATA = new ChannelMetadata(true, RecordReader.MESSAGES_PER_READ);

    private final RecordReader reader = new RecordReader(this, new RecordReader.MessageFactory() {
        @Override
        public UnixSocketAddress sender(ReceiveBatch batch, int index) {
            return UnixDatagramChannel.this.sender(batch, index);
        }

        @Override
        public Object newMessage(ByteBuf content, UnixSocketAddress sender, ReceiveBatch batch, int index,
                boolean controlData) {
            return controlData ? InboundMessages.newPacket(content, localAddress(), sender, batch, index)
                    : new DomainDatagramPacket(content, localAddress(), sender);
        }
    }, ReceiveBatch.RECORDS | ReceiveBatch.NAMES);
    private final DatagramWriter writer = new DatagramWriter(this);
    // The last sender is likely to be the next one too.
    private UnixSocketAddress lastSender = UnixSocketAddress.unnamed();
    private boolean inputEnded;
    private boolean unusable;

    /**
     * A new socket, to be bound, connected or both.
     *
     * @throws io.netty.channel.ChannelException if the process may have no more descriptors
     */
    public UnixDatagramChannel() {
        this(newSocket(SocketType.DATAGRAM));
    }

    UnixDatagramChannel(UnixSocket socket) {
        super(null, SocketType.DATAGRAM, socket, new AdaptiveRecvByteBufAllocator());
    }

    /**
     * A channel for a socket from elsewhere. It is active.
     *
     * @param fd a SOCK_DGRAM socket; the channel owns it and makes it non-blocking and close-on-exec
     * @return the channel, to be registered by the caller
     * @throws io.netty.channel.ChannelException if it is anything else; it stays the caller's then
     */
    public static UnixDatagramChannel adopt(int fd) {
        return (UnixDatagramChannel) UnixTransport.adopt(fd, SocketType.DATAGRAM, false);
    }

    /**
     * Two channels that are connected to each other.
     *
     * @return two channels, to be registered by the caller
     * @throws io.netty.channel.ChannelException if the process may have no more descriptors
     */
    public static List<UnixDatagramChannel> pair() {
        return UnixTransport.pair(SocketType.DATAGRAM, UnixDatagramChannel::new);
    }

    /**
     * How many messages {@link DatagramQueueFull#DROP} has dropped. To be called from any thread.
     *
     * @return their number
     */
    public long droppedMessages() {
        return writer.dropped();
    }

    /**
     * {@inheritDoc} For datagram sockets the kernel knows who made a {@link #pair()}, and nobody else.
     */
    @Override
    public UnixCredentials peerCredentials() throws IOException {
        return PeerIdentity.credentials(this);
    }

    /**
     * {@inheritDoc} For datagram sockets the kernel knows who made a {@link #pair()}, and nobody else.
     */
    @Override
    public UnixFileDescriptor peerPidFd() throws IOException {
        return PeerIdentity.pidFd(this);
    }

    @Override
    public String peerSecurityLabel() throws IOException {
        return PeerIdentity.securityLabel(this);
    }

    @Override
    public boolean isConnected() {
        return remoteAddress() != null;
    }

    @Override
    public boolean isActive() {
        return super.isActive() || isOpen() && isRegistered() && config().isActiveOnRegistration();
    }

    @Override
    boolean isReady() {
        return true;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    protected void doBind(SocketAddress localAddress) throws Exception {
        super.doBind(localAddress);
        activate();
    }

    @Override
    boolean isClosedByFailedConnect() {
        return false;
    }

    /**
     * When a write finds the peer's socket closed, the kernel dissolves the association: anybody may send to this
     * socket then, and it can be connected again.
     */
    @Override
    void writeRefused(int errno) {
        if ((errno == Errno.ECONNREFUSED || errno == Errno.ENOTCONN) && isConnected()
                && socket.peerName(new byte[UnixSocket.MAX_NAME + 1]) < 0) {
            addresses.disconnected();
        }
    }

    /** Dissolves the association with the peer; the channel stays open and can be connected again. */
    @Override
    protected void doDisconnect() throws Exception {
        int result = socket.dissolve();
        if (result < 0) {
            throw newException("disconnect", result, null);
        }
        addresses.disconnected();
    }

    @Override
    int doReadMessages(ExtendedHandle allocHandle, int before) throws IOException {
        int result = reader.read(allocHandle, before);
        if (result == NOTHING && inputEnded) {
            unusable = true;
            throw newException("read", Errno.EINVAL, SHUT_DOWN);
        }
        return result;
    }

    @Override
    void inputEnded(boolean reading) {
        inputEnded = true;
        if (!reading && !hasUndelivered() && socket.peek(false) == -Errno.EAGAIN) {
            unusable = true;
            pipeline().fireExceptionCaught(newException("read", Errno.EINVAL, SHUT_DOWN));
            inputClosed(true);
        }
    }

    /** Any other error concerns one read. */
    @Override
    void inputClosed(boolean failed) {
        if (unusable) {
            unsafe().close(voidPromise());
        }
    }

    @Override
    boolean maybeMoreToRead(ExtendedHandle allocHandle) {
        return reader.maybeMore();
    }

    @Override
    boolean hasUndelivered() {
        return reader.hasMessages();
    }

    @Override
    void drain() {
        reader.drain();
    }

    private UnixSocketAddress sender(ReceiveBatch batch, int index) {
        // Also where the channel is connected: the kernel, or another holder of the socket, can dissolve the
        // association at any time.
        byte[] name = batch.name(index, lastSender.name());
        if (name != lastSender.name()) {
            lastSender = UnixSocketAddress.ofName(name);
        }
        return lastSender;
    }

    @Override
    protected Object filterOutboundMessage(Object message) throws IOException {
        return writer.enqueue(OutboundMessages.filter(this, message));
    }

    @Override
    void flushed() {
        writer.flush();
    }

    @Override
    void peerReady() {
        writer.onWritable();
    }

    /** Messages to recipients with room are found without a search. */
    @Override
    boolean passesPeer() {
        return true;
    }

    /** A packet that names its recipient needs no name of its own, and no peer. */
    @Override
    boolean isSendingInactive() {
        return true;
    }

    @Override
    void resumeWriting() {
        writer.reregistered();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) {
        writer.write(in, maxMessagesPerWrite());
    }

    @Override
    protected void doDeregister() {
        writer.deregistered();
        super.doDeregister();
    }

    @Override
    protected void doClose() throws Exception {
        reader.close();
        super.doClose();
        writer.close();
    }
}
