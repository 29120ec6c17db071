package io.github.nettyunix;

import io.github.nettyunix.socket.ReceiveBatch;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.MessageSizeEstimator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.DuplexChannelConfig;
import io.netty.channel.unix.DomainDatagramChannelConfig;
import io.netty.channel.unix.DomainSocketChannelConfig;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import io.netty.util.NetUtil;
import io.netty.util.internal.ObjectUtil;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;

import static io.github.nettyunix.UnixSocketOption.DATAGRAM_QUEUE_FULL;
import static io.github.nettyunix.UnixSocketOption.DATAGRAM_WAIT_MILLIS;
import static io.github.nettyunix.UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS;
import static io.github.nettyunix.UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE;
import static io.github.nettyunix.UnixSocketOption.MAX_MESSAGE_SIZE;
import static io.github.nettyunix.UnixSocketOption.RECEIVE_CONTROL_DATA;
import static io.github.nettyunix.UnixSocketOption.SOCKET_FILE;
import static io.github.nettyunix.UnixSocketOption.SO_PASSCRED;
import static io.github.nettyunix.UnixSocketOption.SO_PASSPIDFD;
import static io.github.nettyunix.UnixSocketOption.SO_PASSRIGHTS;
import static io.github.nettyunix.UnixSocketOption.SO_PASSSEC;
import static io.netty.channel.ChannelOption.ALLOW_HALF_CLOSURE;
import static io.netty.channel.ChannelOption.DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION;
import static io.netty.channel.ChannelOption.SO_BACKLOG;
import static io.netty.channel.ChannelOption.SO_RCVBUF;
import static io.netty.channel.ChannelOption.SO_SNDBUF;
import static io.netty.channel.unix.UnixChannelOption.DOMAIN_SOCKET_READ_MODE;

/**
 * The configuration of this transport's channels. It is usually set by {@link ChannelOption}s, including those of
 * {@link UnixSocketOption}; the methods are those of Netty's interfaces. Thread-safe.
 *
 * <p>Options of TCP and UDP that frameworks set on every channel ({@code SO_KEEPALIVE}, {@code SO_LINGER},
 * {@code SO_REUSEADDR}, {@code TCP_NODELAY}, all others whose name begins with {@code TCP_} or {@code IP_}, and so on)
 * are accepted and have no effect; {@link #getOption} returns {@code null} for them. Other options that a type of
 * channel does not support are refused, which a bootstrap logs. If the kernel refuses to set or read an option, the
 * {@link io.netty.channel.ChannelException} implements {@link UnixSocketError}.
 */
@SuppressWarnings("deprecation") // DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION is all that Netty has for it
public final class UnixChannelConfig extends DefaultChannelConfig
        implements DomainSocketChannelConfig, DomainDatagramChannelConfig, DuplexChannelConfig {
    private static final Set<ChannelOption<?>> SERVER = Set.of(SO_BACKLOG, SOCKET_FILE, SO_RCVBUF, SO_SNDBUF,
            SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PASSRIGHTS);
    private static final Set<ChannelOption<?>> STREAM = Set.of(ALLOW_HALF_CLOSURE, DOMAIN_SOCKET_READ_MODE,
            EXACT_DESCRIPTOR_POSITIONS, SOCKET_FILE, SO_RCVBUF, SO_SNDBUF, RECEIVE_CONTROL_DATA,
            MAX_FILE_DESCRIPTORS_PER_MESSAGE,
            SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PASSRIGHTS);
    private static final Set<ChannelOption<?>> SEQPACKET = Set.of(ALLOW_HALF_CLOSURE, MAX_MESSAGE_SIZE,
            SOCKET_FILE, SO_RCVBUF, SO_SNDBUF, RECEIVE_CONTROL_DATA, MAX_FILE_DESCRIPTORS_PER_MESSAGE,
            SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PASSRIGHTS);
    private static final Set<ChannelOption<?>> DATAGRAM = Set.of(DATAGRAM_QUEUE_FULL, DATAGRAM_WAIT_MILLIS,
            DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION, MAX_MESSAGE_SIZE,
            SOCKET_FILE, SO_RCVBUF, SO_SNDBUF, RECEIVE_CONTROL_DATA, MAX_FILE_DESCRIPTORS_PER_MESSAGE,
            SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PASSRIGHTS);

    /** Twice the wmem_max of current Linux, which is the largest SO_SNDBUF of an unprivileged sender. */
    private static final int DEFAULT_MAX_MESSAGE_SIZE = 8 << 20;

    /**
     * Names of options that TCP and UDP sockets have and no AF_UNIX socket has a use for, besides those that begin with
     * TCP_ or IP_.
     */
    private static final Set<String> FOREIGN = Set.of("SO_BROADCAST", "SO_INCOMING_CPU", "SO_KEEPALIVE", "SO_LINGER",
            "SO_REUSEADDR",
            "SO_REUSEPORT", "SO_TIMEOUT");

    /** As CONNECT_TIMEOUT_MILLIS. */
    private static final int DEFAULT_DATAGRAM_WAIT_MILLIS = 30_000;

    private final AbstractUnixChannel unixChannel;
    private final UnixSocket socket;
    private final Set<ChannelOption<?>> known;

    private volatile boolean allowHalfClosure;
    private volatile boolean activeOnRegistration;
    private volatile int backlog = NetUtil.SOMAXCONN;
    private volatile DomainSocketReadMode readMode = DomainSocketReadMode.BYTES;
    private volatile SocketFilePolicy socketFile = SocketFilePolicy.replaceStale();
    private volatile DatagramQueueFull datagramQueueFull = DatagramQueueFull.WAIT;
    private volatile int datagramWaitMillis = DEFAULT_DATAGRAM_WAIT_MILLIS;
    private volatile int maxMessageSize = DEFAULT_MAX_MESSAGE_SIZE;
    private volatile boolean exactDescriptorPositions;
    private final ControlDataOptions controlData;

    UnixChannelConfig(AbstractUnixChannel channel, RecvByteBufAllocator allocator) {
        super(channel, allocator);
        unixChannel = channel;
        socket = channel.socket;
        controlData = new ControlDataOptions(channel);
        known = channel instanceof AbstractUnixServerChannel ? SERVER
                : switch (channel.type) {
                    case STREAM -> STREAM;
                    case SEQPACKET -> SEQPACKET;
                    case DATAGRAM -> DATAGRAM;
                };
        super.setMessageSizeEstimator(UnixMessageSizeEstimator.DEFAULT);
    }

    @Override
    public Map<ChannelOption<?>, Object> getOptions() {
        return getOptions(super.getOptions(), known.toArray(new ChannelOption<?>[0]));
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T getOption(ChannelOption<T> option) {
        return known.contains(option) ? (T) get(option)
                : option instanceof IntegerUnixChannelOption || option instanceof RawUnixChannelOption
                ? (T) getSocketOption(option)
                : super.getOption(option);
    }

    @Override
    public <T> boolean setOption(ChannelOption<T> option, T value) {
        validate(option, value);
        if (known.contains(option)) {
            set(option, value);
            return true;
        }
        if (option instanceof IntegerUnixChannelOption || option instanceof RawUnixChannelOption) {
            setSocketOption(option, value);
            return true;
        }
        return super.setOption(option, value) || isForeign(option);
    }

    /**
     * Frameworks set these on whatever channel they are given; refusing them would log a warning or two per connection.
     */
    private static boolean isForeign(ChannelOption<?> option) {
        String name = name(option);
        return FOREIGN.contains(name) || name.startsWith("TCP_") || name.startsWith("IP_");
    }

    /** Netty's names of options begin with their class. */
    static String name(ChannelOption<?> option) {
        return option.name().substring(option.name().lastIndexOf('#') + 1);
    }

    private Object get(ChannelOption<?> option) {
        if (option == SO_SNDBUF) {
            return getSendBufferSize();
        } else if (option == SO_RCVBUF) {
            return getReceiveBufferSize();
        } else if (option == SO_BACKLOG) {
            return backlog;
        } else if (option == ALLOW_HALF_CLOSURE) {
            return allowHalfClosure;
        } else if (option == DOMAIN_SOCKET_READ_MODE) {
            return readMode;
        } else if (option == DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION) {
            return activeOnRegistration;
        } else if (option == SOCKET_FILE) {
            return socketFile;
        } else if (option == DATAGRAM_QUEUE_FULL) {
            return datagramQueueFull;
        } else if (option == DATAGRAM_WAIT_MILLIS) {
            return datagramWaitMillis;
        } else if (option == MAX_MESSAGE_SIZE) {
            return maxMessageSize;
        } else if (option == EXACT_DESCRIPTOR_POSITIONS) {
            return exactDescriptorPositions;
        }
        return controlData.get(option);
    }

    private void set(ChannelOption<?> option, Object value) {
        if (option == SO_SNDBUF) {
            setSendBufferSize((Integer) value);
        } else if (option == SO_RCVBUF) {
            setReceiveBufferSize((Integer) value);
        } else if (option == SO_BACKLOG) {
            backlog = ObjectUtil.checkPositiveOrZero((Integer) value, "SO_BACKLOG");
        } else if (option == ALLOW_HALF_CLOSURE) {
            setAllowHalfClosure((Boolean) value);
        } else if (option == DOMAIN_SOCKET_READ_MODE) {
            setReadMode((DomainSocketReadMode) value);
        } else if (option == DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION) {
            activeOnRegistration = (Boolean) value;
        } else if (option == SOCKET_FILE) {
            socketFile = (SocketFilePolicy) value;
        } else if (option == DATAGRAM_QUEUE_FULL) {
            datagramQueueFull = (DatagramQueueFull) value;
        } else if (option == DATAGRAM_WAIT_MILLIS) {
            datagramWaitMillis = ObjectUtil.checkPositiveOrZero((Integer) value, "DATAGRAM_WAIT_MILLIS");
        } else if (option == MAX_MESSAGE_SIZE) {
            maxMessageSize = ObjectUtil.checkPositive((Integer) value, "MAX_MESSAGE_SIZE");
        } else if (option == EXACT_DESCRIPTOR_POSITIONS) {
            if ((Boolean) value && !ReceiveBatch.CAN_FIND_BARRIER) {
                throw new UnsupportedOperationException("EXACT_DESCRIPTOR_POSITIONS " + unixChannel.type
                        + ": it needs Linux");
            }
            exactDescriptorPositions = (Boolean) value;
        } else {
            controlData.set(option, value);
        }
    }

    /** The options about control data, and what follows from them. */
    ControlDataOptions controlData() {
        return controlData;
    }

    boolean isExactDescriptorPositions() {
        return exactDescriptorPositions;
    }

    int maxMessageSize() {
        return maxMessageSize;
    }

    int backlog() {
        return backlog;
    }

    SocketFilePolicy socketFile() {
        return socketFile;
    }

    DatagramQueueFull datagramQueueFull() {
        return datagramQueueFull;
    }

    int datagramWaitMillis() {
        return datagramWaitMillis;
    }

    boolean isActiveOnRegistration() {
        return activeOnRegistration;
    }

    private int check(String operation, int result) {
        if (result < 0) {
            throw UnixErrors.newUnchecked(operation, unixChannel.type, unixChannel.localAddress(), result, null);
        }
        return result;
    }

    /** An option that only the user knows, by its numbers. */
    private Object getSocketOption(ChannelOption<?> option) {
        if (option instanceof IntegerUnixChannelOption integer) {
            byte[] value = new byte[Integer.BYTES];
            check("getsockopt " + name(option), socket.getOption(integer.level(), integer.optname(), value));
            return ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getInt();
        }
        RawUnixChannelOption raw = (RawUnixChannelOption) option;
        byte[] value = new byte[raw.length()];
        check("getsockopt " + name(option), socket.getOption(raw.level(), raw.optname(), value));
        return ByteBuffer.wrap(value);
    }

    private void setSocketOption(ChannelOption<?> option, Object value) {
        int result;
        if (option instanceof IntegerUnixChannelOption integer) {
            byte[] bytes = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt((Integer) value)
                    .array();
            result = socket.setOption(integer.level(), integer.optname(), bytes);
        } else {
            RawUnixChannelOption raw = (RawUnixChannelOption) option;
            ByteBuffer buffer = (ByteBuffer) value;
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            result = socket.setOption(raw.level(), raw.optname(), bytes);
        }
        check("setsockopt " + name(option), result);
    }

    @Override
    protected void autoReadCleared() {
        unixChannel.readLoop.stop();
    }

    @Override
    public UnixChannelConfig setReadMode(DomainSocketReadMode mode) {
        readMode = ObjectUtil.checkNotNull(mode, "mode");
        return this;
    }

    @Override
    public DomainSocketReadMode getReadMode() {
        return readMode;
    }

    @Override
    public boolean isAllowHalfClosure() {
        return allowHalfClosure;
    }

    @Override
    public UnixChannelConfig setAllowHalfClosure(boolean allowHalfClosure) {
        this.allowHalfClosure = allowHalfClosure;
        return this;
    }

    @Override
    public int getSendBufferSize() {
        return check("getsockopt SO_SNDBUF", socket.getOption(UnixSocket.SNDBUF));
    }

    @Override
    public UnixChannelConfig setSendBufferSize(int sendBufferSize) {
        check("setsockopt SO_SNDBUF", socket.setOption(UnixSocket.SNDBUF, sendBufferSize));
        return this;
    }

    private int getReceiveBufferSize() {
        return check("getsockopt SO_RCVBUF", socket.getOption(UnixSocket.RCVBUF));
    }

    private void setReceiveBufferSize(int receiveBufferSize) {
        check("setsockopt SO_RCVBUF", socket.setOption(UnixSocket.RCVBUF, receiveBufferSize));
    }

    @Override
    @Deprecated
    public UnixChannelConfig setMaxMessagesPerRead(int maxMessagesPerRead) {
        super.setMaxMessagesPerRead(maxMessagesPerRead);
        return this;
    }

    @Override
    public UnixChannelConfig setConnectTimeoutMillis(int connectTimeoutMillis) {
        super.setConnectTimeoutMillis(connectTimeoutMillis);
        return this;
    }

    @Override
    public UnixChannelConfig setWriteSpinCount(int writeSpinCount) {
        super.setWriteSpinCount(writeSpinCount);
        return this;
    }

    @Override
    public UnixChannelConfig setAllocator(ByteBufAllocator allocator) {
        super.setAllocator(allocator);
        return this;
    }

    @Override
    public UnixChannelConfig setRecvByteBufAllocator(RecvByteBufAllocator allocator) {
        super.setRecvByteBufAllocator(allocator);
        return this;
    }

    @Override
    public UnixChannelConfig setAutoRead(boolean autoRead) {
        super.setAutoRead(autoRead);
        return this;
    }

    @Override
    public UnixChannelConfig setAutoClose(boolean autoClose) {
        super.setAutoClose(autoClose);
        return this;
    }

    @Override
    @Deprecated
    public UnixChannelConfig setWriteBufferHighWaterMark(int writeBufferHighWaterMark) {
        super.setWriteBufferHighWaterMark(writeBufferHighWaterMark);
        return this;
    }

    @Override
    @Deprecated
    public UnixChannelConfig setWriteBufferLowWaterMark(int writeBufferLowWaterMark) {
        super.setWriteBufferLowWaterMark(writeBufferLowWaterMark);
        return this;
    }

    @Override
    public UnixChannelConfig setWriteBufferWaterMark(WriteBufferWaterMark writeBufferWaterMark) {
        super.setWriteBufferWaterMark(writeBufferWaterMark);
        return this;
    }

    @Override
    public UnixChannelConfig setMessageSizeEstimator(MessageSizeEstimator estimator) {
        super.setMessageSizeEstimator(estimator);
        return this;
    }
}
