package io.github.nettyunix.fire;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixSocketOption;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.UnixChannelOption;

import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

/** Sets and reads the options of a channel at random. */
final class OptionChanges {
    /** An option, and what it may become; null if it has no value here. */
    private record Change<T>(ChannelOption<T> option, Supplier<T> value) {
        void apply(Channel channel) {
            channel.config().setOption(option, value.get());
            channel.config().getOption(option);
        }
    }

    private final Case owner;
    private final List<Change<?>> changes;

    /** @param random returns a number below its argument */
    @SuppressWarnings("deprecation")
    OptionChanges(Case owner, IntUnaryOperator random) {
        this.owner = owner;
        Supplier<Boolean> either = () -> random.applyAsInt(2) == 0;
        SocketType type = owner.scenario.type;
        List<Change<?>> all = List.of(
                new Change<>(UnixSocketOption.RECEIVE_CONTROL_DATA, either),
                new Change<>(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, () -> random.applyAsInt(254)),
                new Change<>(UnixSocketOption.SO_PASSCRED, either),
                new Change<>(UnixSocketOption.SO_PASSPIDFD, either),
                new Change<>(UnixSocketOption.SO_PASSRIGHTS, either),
                new Change<>(UnixSocketOption.SO_PASSSEC, either),
                new Change<>(UnixSocketOption.SOCKET_FILE, SocketFilePolicy::failIfExists),
                new Change<>(ChannelOption.SO_SNDBUF, () -> 2_500 + random.applyAsInt(100_000)),
                new Change<>(ChannelOption.SO_RCVBUF, () -> 2_500 + random.applyAsInt(100_000)),
                new Change<>(ChannelOption.AUTO_CLOSE, either),
                new Change<>(ChannelOption.WRITE_SPIN_COUNT, () -> 1 + random.applyAsInt(16)),
                new Change<>(ChannelOption.WRITE_BUFFER_WATER_MARK,
                        () -> new WriteBufferWaterMark(random.applyAsInt(100), 100 + random.applyAsInt(10_000))),
                new Change<>(ChannelOption.ALLOCATOR, () -> random.applyAsInt(2) == 0
                        ? new UnpooledByteBufAllocator(false) : PooledByteBufAllocator.DEFAULT),
                new Change<>(ChannelOption.RECVBUF_ALLOCATOR, () -> (random.applyAsInt(2) == 0
                        ? new FixedRecvByteBufAllocator(1 + random.applyAsInt(5_000))
                        : new AdaptiveRecvByteBufAllocator()).maxMessagesPerRead(1 + random.applyAsInt(32))),
                new Change<>(ChannelOption.CONNECT_TIMEOUT_MILLIS, () -> random.applyAsInt(10_000)),
                new Change<>(type == SocketType.STREAM ? UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS
                        : UnixSocketOption.SO_PASSCRED, either),
                new Change<>(type == SocketType.DATAGRAM ? ChannelOption.DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION
                        : ChannelOption.ALLOW_HALF_CLOSURE, either),
                type == SocketType.STREAM ? new Change<>(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, either)
                        : new Change<>(UnixSocketOption.MAX_MESSAGE_SIZE, () -> 1 + random.applyAsInt(100_000)),
                type != SocketType.DATAGRAM ? new Change<>(ChannelOption.ALLOW_HALF_CLOSURE, either)
                        : new Change<>(UnixSocketOption.DATAGRAM_QUEUE_FULL,
                                () -> DatagramQueueFull.values()[random.applyAsInt(3)]),
                type != SocketType.DATAGRAM ? new Change<>(ChannelOption.ALLOW_HALF_CLOSURE, either)
                        : new Change<>(UnixSocketOption.DATAGRAM_WAIT_MILLIS, () -> random.applyAsInt(1_000)));
        changes = owner.scenario.switchesMode
                ? List.of(new Change<>(UnixChannelOption.DOMAIN_SOCKET_READ_MODE,
                        () -> DomainSocketReadMode.values()[random.applyAsInt(2)]))
                : all;
    }

    /** @param drawn a number from which the option follows */
    void change(Channel channel, int drawn) {
        Change<?> change = changes.get(drawn % changes.size());
        try {
            change.apply(channel);
        } catch (UnsupportedOperationException e) {
            // This kernel has no such option.
        } catch (ChannelException e) {
            if (channel.isOpen()) {
                owner.problem("option " + change.option() + ": " + e);
            }
        }
    }
}
