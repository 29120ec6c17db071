package io.github.nettyunix;

import io.github.nettyunix.socket.ReceiveBatch;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelException;
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

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Set;

import static io.github.nettyunix.UnixSocketOption.DATAGRAM_QUEUE_FULL;
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
 * The configuration of all of this transport's channels. Use {@link ChannelOption}s, those of {@link UnixSocketOption} among
 * them; the methods are Netty's. An option that means nothing to a type of channel is refused by it, which a bootstrap
 * logs. Thread-safe.
 */
@SuppressWarnings("deprecation") // DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION is all that Netty has for it
public final class UnixChannelConfig extends DefaultChannelConfig
        implements DomainSocketChannelConfig, DomainDatagramChannelConfig, DuplexChannelConfig {
    private static final Set<ChannelOption<?>> SERVER = Set.of(SO_BACKLOG, SOCKET_FILE, SO_RCVBUF, SO_SNDBUF,
            SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PASSRIGHTS);
    private static final Set<ChannelOption<?>> STREAM = Set.of(ALLOW_HALF_CLOSURE, DOMAIN_SOCKET_READ_MODE,
            EXACT_DESCRIPTOR_POSITIONS, SOCKET_FILE, SO_RCVBUF, SO_SNDBUF, RECEIVE_CONTROL_DATA, MAX_FILE_DESCRIPTORS_PER_MESSAGE,
            SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PASSRIGHTS);
    private static final Set<ChannelOption<?>> SEQPACKET = Set.of(ALLOW_HALF_CLOSURE, MAX_MESSAGE_SIZE,
            SOCKET_FILE, SO_RCVBUF, SO_SNDBUF, RECEIVE_CONTROL_DATA, MAX_FILE_DESCRIPTORS_PER_MESSAGE,
            SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PASSRIGHTS);
    private static final Set<ChannelOption<?>> DATAGRAM = Set.of(DATAGRAM_QUEUE_FULL,
            DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION, MAX_MESSAGE_SIZE,
            SOCKET_FILE, SO_RCVBUF, SO_SNDBUF, RECEIVE_CONTROL_DATA, MAX_FILE_DESCRIPTORS_PER_MESSAGE,
            SO_PASSCRED, SO_PASSPIDFD, SO_PASSSEC, SO_PASSRIGHTS);

    /** Twice the wmem_max of current Linux, which is the largest SO_SNDBUF of an unprivileged sender. */
    private static final int DEFAULT_MAX_MESSAGE_SIZE = 8 << 20;

    private final AbstractUnixChannel unixChannel;
    private final UnixSocket socket;
    private final Set<ChannelOption<?>> known;

    private volatile boolean allowHalfClosure;
    private volatile boolean activeOnRegistration;
    private volatile int backlog = NetUtil.SOMAXCONN;
    private volatile DomainSocketReadMode readMode = DomainSocketReadMode.BYTES;
    private volatile SocketFilePolicy socketFile = SocketFilePolicy.replaceStale();
    private volatile DatagramQueueFull datagramQueueFull = DatagramQueueFull.WAIT;
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
        return super.setOption(option, value);
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
        } else if (option == MAX_MESSAGE_SIZE) {
            maxMessageSize = ObjectUtil.checkPositive((Integer) value, "MAX_MESSAGE_SIZE");
        } else if (option == EXACT_DESCRIPTOR_POSITIONS) {
            if ((Boolean) value && !ReceiveBatch.TELLS_PIECES) {
                throw new UnsupportedOperationException("EXACT_DESCRIPTOR_POSITIONS " + unixChannel.type + ": it needs Linux");
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

    boolean isActiveOnRegistration() {
        return activeOnRegistration;
    }

    private Object getSocketOption(ChannelOption<?> option) {
        try {
            if (option instanceof IntegerUnixChannelOption integer) {
                return socket.getIntOpt(integer.level(), integer.optname());
            }
            RawUnixChannelOption raw = (RawUnixChannelOption) option;
            ByteBuffer value = ByteBuffer.allocate(raw.length());
            socket.getRawOpt(raw.level(), raw.optname(), value);
            return value.flip();
        } catch (IOException e) {
            throw new ChannelException(e);
        }
    }

    private void setSocketOption(ChannelOption<?> option, Object value) {
        try {
            if (option instanceof IntegerUnixChannelOption integer) {
                socket.setIntOpt(integer.level(), integer.optname(), (Integer) value);
            } else {
                RawUnixChannelOption raw = (RawUnixChannelOption) option;
                socket.setRawOpt(raw.level(), raw.optname(), (ByteBuffer) value);
            }
        } catch (IOException e) {
            throw new ChannelException(e);
        }
    }

    @Override
    protected void autoReadCleared() {
        unixChannel.stopReading();
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
        try {
            return socket.bufferSize(true);
        } catch (IOException e) {
            throw new ChannelException(e);
        }
    }

    @Override
    public UnixChannelConfig setSendBufferSize(int sendBufferSize) {
        try {
            socket.setBufferSize(true, sendBufferSize);
            return this;
        } catch (IOException e) {
            throw new ChannelException(e);
        }
    }

    private int getReceiveBufferSize() {
        try {
            return socket.bufferSize(false);
        } catch (IOException e) {
            throw new ChannelException(e);
        }
    }

    private void setReceiveBufferSize(int receiveBufferSize) {
        try {
            socket.setBufferSize(false, receiveBufferSize);
        } catch (IOException e) {
            throw new ChannelException(e);
        }
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
