package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.endpoint.AdoptedSocket;
import io.github.nettyunix.internal.endpoint.PeerIdentity;
import io.github.nettyunix.internal.metrics.Counter;
import io.github.nettyunix.internal.read.ChannelReader;
import io.github.nettyunix.internal.read.InboundMessages;
import io.github.nettyunix.internal.read.RecordReader;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.github.nettyunix.internal.write.DatagramWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.DomainDatagramChannel;
import io.netty.channel.unix.DomainDatagramPacket;

import java.io.IOException;
import java.net.SocketAddress;
import java.util.List;

/**
 * A socket that sends and receives records without a connection (SOCK_DGRAM), together with descriptors and
 * credentials. Datagrams are neither lost nor reordered on the way, and may be empty.
 *
 * <p>Packets that name their recipient can be sent as soon as the channel is registered. It becomes active when it is
 * bound or connected. With {@link io.netty.channel.ChannelOption#DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION}, it is active
 * once it is registered; set this option if a handler waits for {@code channelActive} on a channel that will be neither
 * bound nor connected. To receive replies, the channel must be bound, on Linux for example to
 * {@link UnixSocketAddress#autobind()}.
 *
 * <p>Reads deliver {@link DomainDatagramPacket}s, or {@link UnixDatagramPacket}s if
 * {@link UnixSocketOption#RECEIVE_CONTROL_DATA} is set. Their sender is never {@code null}.
 *
 * <p>Writes accept both kinds of packets and any other {@link io.netty.channel.AddressedEnvelope} of a {@link ByteBuf};
 * on a connected channel also {@link ByteBuf}s, {@link UnixMessage}s, and
 * {@link io.netty.channel.unix.FileDescriptor}s, which are sent with an empty datagram. A message that cannot be sent
 * fails only its own promise. {@link UnixSocketOption#DATAGRAM_QUEUE_FULL} determines what happens if a recipient does
 * not keep up.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class UnixDatagramChannel extends AbstractUnixChannel implements DomainDatagramChannel, UnixPeer {
    private static final ChannelMetadata METADATA = new ChannelMetadata(true, RecordReader.MESSAGES_PER_READ);

    private final RecordReader.MessageFactory messages = new RecordReader.MessageFactory() {
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
    };
    private final RecordReader reader = new RecordReader(core(), readLoop, messages,
            ReceiveBatch.RECORDS | ReceiveBatch.NAMES) {
        @Override
        public int read(ExtendedHandle allocHandle, int before) throws IOException {
            int result = super.read(allocHandle, before);
            if (result == NOTHING && inputEnded) {
                unusable = true;
                throw core().newException(Operation.READ, Errno.EINVAL, SHUT_DOWN);
            }
            return result;
        }
    };
    private final DatagramWriter writer = new DatagramWriter(core(), writeSchedule, this::writeRefused);
    // The last sender is likely to be the next one too.
    private UnixSocketAddress lastSender = UnixSocketAddress.unnamed();
    private boolean inputEnded;
    private boolean unusable;

    /**
     * Creates a channel with a new socket, to be bound, connected, both or neither.
     *
     * @throws io.netty.channel.ChannelException if the process has reached its limit of descriptors
     */
    public UnixDatagramChannel() {
        this(NativeTransport.newSocket(SocketType.DATAGRAM));
    }

    UnixDatagramChannel(UnixSocket socket) {
        super(null, SocketType.DATAGRAM, SocketOptions.DATAGRAM, socket, new AdaptiveRecvByteBufAllocator(), null);
    }

    /**
     * Creates a channel for an existing socket. The channel is active.
     *
     * @param fd a SOCK_DGRAM socket; the channel takes ownership of it and makes it non-blocking and close-on-exec
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is anything else; the caller keeps its ownership then
     */
    public static UnixDatagramChannel adopt(int fd) {
        return adopt(AdoptedSocket.of(fd, SocketType.DATAGRAM, false), UnixDatagramChannel::new);
    }

    /**
     * Creates two channels that are connected to each other.
     *
     * @return two channels, which the caller must register
     * @throws io.netty.channel.ChannelException if the process has reached its limit of descriptors
     */
    public static List<UnixDatagramChannel> pair() {
        return pair(SocketType.DATAGRAM, UnixDatagramChannel::new);
    }

    /**
     * Returns how many messages {@link DatagramQueueFull#DROP} has dropped. May be called from any thread.
     *
     * @return their number
     */
    public long droppedMessages() {
        return counts.get(Counter.DROPPED_MESSAGES);
    }

    /** {@inheritDoc} For datagram sockets, the kernel records only the creator of a {@link #pair()}. */
    @Override
    public UnixCredentials peerCredentials() throws IOException {
        return PeerIdentity.credentials(core());
    }

    /** {@inheritDoc} For datagram sockets, the kernel records only the creator of a {@link #pair()}. */
    @Override
    public UnixFileDescriptor peerPidFd() throws IOException {
        return PeerIdentity.pidFd(core());
    }

    @Override
    public String peerSecurityLabel() throws IOException {
        return PeerIdentity.securityLabel(core());
    }

    @Override
    public UnixChannelConfig config() {
        return (UnixChannelConfig) super.config();
    }

    @Override
    public boolean isConnected() {
        return remoteAddress() != null;
    }

    @Override
    public boolean isActive() {
        return super.isActive() || isOpen() && isRegistered() && settings.isActiveOnRegistration();
    }

    /** A packet that names its recipient needs no name of the socket's own, and no peer. */
    @Override
    boolean isConnectionless() {
        return true;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    protected void doBind(SocketAddress localAddress) throws Exception {
        super.doBind(localAddress);
        core().activate();
    }

    /**
     * When a write finds the peer's socket closed, the kernel disconnects this socket: anybody may send to it then, and
     * it can be connected again.
     */
    private void writeRefused(int errno) {
        if ((errno == Errno.ECONNREFUSED || errno == Errno.ENOTCONN) && isConnected()
                && socket.peerName(new byte[UnixSocket.MAX_NAME + 1]) < 0) {
            endpoint.disconnected();
        }
    }

    /** Disconnects the socket from its peer; the channel stays open and can be connected again. */
    @Override
    protected void doDisconnect() throws Exception {
        int result = socket.disconnect();
        if (result < 0) {
            throw core().newException(Operation.DISCONNECT, result, null);
        }
        endpoint.disconnected();
    }

    @Override
    void inputEnded(boolean reading) {
        inputEnded = true;
        if (!reading && !reader.hasMessages() && socket.peek(false) == -Errno.EAGAIN) {
            unusable = true;
            pipeline().fireExceptionCaught(core().newException(Operation.READ, Errno.EINVAL, ChannelReader.SHUT_DOWN));
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
    ChannelReader reader() {
        return reader;
    }

    @Override
    ChannelWriter writer() {
        return writer;
    }

    private UnixSocketAddress sender(ReceiveBatch batch, int index) {
        // Also if the channel is connected: the kernel, or another holder of the socket, can disconnect it at any time.
        byte[] name = batch.name(index, lastSender.name());
        if (name != lastSender.name()) {
            lastSender = UnixSocketAddress.ofName(name);
        }
        return lastSender;
    }
}
