package io.github.nettyunix;

import io.github.nettyunix.internal.ChannelSettings;
import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.read.ReadLoop;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.MessageSizeEstimator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.DuplexChannelConfig;
import io.netty.channel.unix.DomainDatagramChannelConfig;
import io.netty.channel.unix.DomainSocketChannelConfig;
import io.netty.channel.unix.DomainSocketReadMode;

/**
 * The configuration of stream, seqpacket and datagram channels; that of servers is {@link UnixServerChannelConfig}. It
 * is usually set by {@link ChannelOption}s, including those of {@link UnixSocketOption}; the methods are those of
 * Netty's interfaces. Thread-safe.
 *
 * <p>Options of TCP and UDP that frameworks set on every channel ({@code SO_KEEPALIVE}, {@code SO_LINGER},
 * {@code SO_REUSEADDR}, {@code TCP_NODELAY}, all others whose name begins with {@code TCP_} or {@code IP_}, and so on)
 * are accepted and have no effect; {@link #getOption} returns {@code null} for them. Other options that a type of
 * channel does not support are refused, which a bootstrap logs. If the kernel refuses to set or read an option, the
 * {@link io.netty.channel.ChannelException} implements {@link UnixSocketError}.
 */
public final class UnixChannelConfig extends AbstractUnixChannelConfig
        implements DomainSocketChannelConfig, DomainDatagramChannelConfig, DuplexChannelConfig {
    UnixChannelConfig(Channel channel, RecvByteBufAllocator allocator, SocketOptions options, ChannelSettings settings,
            ReadLoop readLoop) {
        super(channel, allocator, options, settings, readLoop);
    }

    @Override
    public UnixChannelConfig setReadMode(DomainSocketReadMode mode) {
        settings.setReadMode(mode);
        return this;
    }

    @Override
    public DomainSocketReadMode getReadMode() {
        return settings.readMode();
    }

    @Override
    public boolean isAllowHalfClosure() {
        return settings.isAllowHalfClosure();
    }

    @Override
    public UnixChannelConfig setAllowHalfClosure(boolean allowHalfClosure) {
        settings.setAllowHalfClosure(allowHalfClosure);
        return this;
    }

    @Override
    public int getSendBufferSize() {
        return settings.sendBufferSize();
    }

    @Override
    public UnixChannelConfig setSendBufferSize(int sendBufferSize) {
        settings.setSendBufferSize(sendBufferSize);
        return this;
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
