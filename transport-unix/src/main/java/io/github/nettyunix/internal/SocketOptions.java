package io.github.nettyunix.internal;

import io.netty.channel.ChannelOption;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;

import static io.github.nettyunix.UnixSocketOption.DATAGRAM_QUEUE_FULL;
import static io.github.nettyunix.UnixSocketOption.DATAGRAM_WAIT_MILLIS;
import static io.github.nettyunix.UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS;
import static io.github.nettyunix.UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE;
import static io.github.nettyunix.UnixSocketOption.MAX_MESSAGE_SIZE;
import static io.github.nettyunix.UnixSocketOption.RECEIVE_CONTROL_DATA;
import static io.github.nettyunix.UnixSocketOption.RECORD_PARTS;
import static io.github.nettyunix.UnixSocketOption.SHARED_MEMORY_CAPACITY;
import static io.github.nettyunix.UnixSocketOption.SOCKET_FILE;
import static io.github.nettyunix.UnixSocketOption.SO_PASSCRED;
import static io.github.nettyunix.UnixSocketOption.SO_PASSPIDFD;
import static io.github.nettyunix.UnixSocketOption.SO_PASSRIGHTS;
import static io.github.nettyunix.UnixSocketOption.SO_PASSSEC;
import static io.github.nettyunix.UnixSocketOption.ZERO_COPY_READS;
import static io.netty.channel.ChannelOption.ALLOW_HALF_CLOSURE;
import static io.netty.channel.ChannelOption.DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION;
import static io.netty.channel.ChannelOption.SO_BACKLOG;
import static io.netty.channel.ChannelOption.SO_RCVBUF;
import static io.netty.channel.ChannelOption.SO_SNDBUF;
import static io.netty.channel.unix.UnixChannelOption.DOMAIN_SOCKET_READ_MODE;

/** The options of the channels, except those that all of Netty's channels have: one row per option. */
@SuppressWarnings("deprecation") // DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION is all that Netty has for it
public enum SocketOptions {
    /** The options of a stream channel. */
    STREAM,
    /** The options of a seqpacket channel. */
    SEQPACKET,
    /** The options of a channel with shared memory. */
    SHARED_MEMORY,
    /** The options of a datagram channel. */
    DATAGRAM,
    /** The options of a server. */
    SERVER;

    /** How an option is read and set. */
    private record Row<T>(Function<ChannelSettings, T> get, BiConsumer<ChannelSettings, T> set) {
    }

    private static final SocketOptions[] ALL = values();
    private static final SocketOptions[] NO_SERVER = {STREAM, SEQPACKET, SHARED_MEMORY, DATAGRAM};

    /**
     * Names of options that TCP and UDP sockets have and no AF_UNIX socket has a use for, besides those that begin with
     * TCP_ or IP_.
     */
    private static final Set<String> FOREIGN = Set.of("SO_BROADCAST", "SO_INCOMING_CPU", "SO_KEEPALIVE", "SO_LINGER",
            "SO_REUSEADDR", "SO_REUSEPORT", "SO_TIMEOUT");

    private final Map<ChannelOption<?>, Row<?>> rows = new HashMap<>();

    static {
        add(SO_SNDBUF, ChannelSettings::sendBufferSize, ChannelSettings::setSendBufferSize, ALL);
        add(SO_RCVBUF, ChannelSettings::receiveBufferSize, ChannelSettings::setReceiveBufferSize, ALL);
        add(SOCKET_FILE, ChannelSettings::socketFile, ChannelSettings::setSocketFile, ALL);
        add(SO_BACKLOG, ChannelSettings::backlog, ChannelSettings::setBacklog, SERVER);
        add(ALLOW_HALF_CLOSURE, ChannelSettings::isAllowHalfClosure, ChannelSettings::setAllowHalfClosure,
                STREAM, SEQPACKET, SHARED_MEMORY);
        add(DOMAIN_SOCKET_READ_MODE, ChannelSettings::readMode, ChannelSettings::setReadMode, STREAM);
        add(EXACT_DESCRIPTOR_POSITIONS, ChannelSettings::isExactDescriptorPositions,
                ChannelSettings::setExactDescriptorPositions, STREAM);
        add(MAX_MESSAGE_SIZE, ChannelSettings::maxMessageSize, ChannelSettings::setMaxMessageSize,
                SEQPACKET, SHARED_MEMORY, DATAGRAM);
        add(SHARED_MEMORY_CAPACITY, ChannelSettings::sharedMemoryCapacity, ChannelSettings::setSharedMemoryCapacity,
                SHARED_MEMORY);
        add(RECORD_PARTS, ChannelSettings::isRecordParts, ChannelSettings::setRecordParts, SHARED_MEMORY);
        add(ZERO_COPY_READS, ChannelSettings::isZeroCopyReads, ChannelSettings::setZeroCopyReads, SHARED_MEMORY);
        add(DATAGRAM_CHANNEL_ACTIVE_ON_REGISTRATION, ChannelSettings::isActiveOnRegistration,
                ChannelSettings::setActiveOnRegistration, DATAGRAM);
        add(DATAGRAM_QUEUE_FULL, ChannelSettings::datagramQueueFull, ChannelSettings::setDatagramQueueFull, DATAGRAM);
        add(DATAGRAM_WAIT_MILLIS, ChannelSettings::datagramWaitMillis, ChannelSettings::setDatagramWaitMillis,
                DATAGRAM);
        addControlData(RECEIVE_CONTROL_DATA, NO_SERVER);
        addControlData(MAX_FILE_DESCRIPTORS_PER_MESSAGE, NO_SERVER);
        addControlData(SO_PASSCRED, ALL);
        addControlData(SO_PASSPIDFD, ALL);
        addControlData(SO_PASSSEC, ALL);
        addControlData(SO_PASSRIGHTS, ALL);
    }

    private static <T> void add(ChannelOption<T> option, Function<ChannelSettings, T> get,
            BiConsumer<ChannelSettings, T> set, SocketOptions... channels) {
        Row<T> row = new Row<>(get, set);
        for (SocketOptions options : channels) {
            options.rows.put(option, row);
        }
    }

    private static <T> void addControlData(ChannelOption<T> option, SocketOptions... channels) {
        add(option, settings -> cast(settings.controlData().get(option)),
                (settings, value) -> settings.controlData().set(option, value), channels);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T> T cast(Object value) {
        return (T) value;
    }

    /** Returns all of these options, without those that are given by their numbers. */
    public ChannelOption<?>[] options() {
        return rows.keySet().toArray(new ChannelOption<?>[0]);
    }

    /** Whether the option is one of these, or is given by its numbers. */
    public boolean contains(ChannelOption<?> option) {
        return rows.containsKey(option) || isByNumber(option);
    }

    /** Returns the value of an option that is one of these. */
    public <T> T get(ChannelSettings settings, ChannelOption<T> option) {
        if (isByNumber(option)) {
            return cast(getByNumber(settings, option));
        }
        return this.<T>row(option).get().apply(settings);
    }

    /** Sets an option that is one of these. */
    public <T> void set(ChannelSettings settings, ChannelOption<T> option, T value) {
        if (isByNumber(option)) {
            setByNumber(settings, option, value);
        } else {
            this.<T>row(option).set().accept(settings, value);
        }
    }

    @SuppressWarnings("unchecked")
    private <T> Row<T> row(ChannelOption<T> option) {
        return (Row<T>) rows.get(option);
    }

    /**
     * Whether the option is one of another family of sockets. Frameworks set these on whatever channel they are given;
     * refusing them would log a warning or two per connection.
     */
    public static boolean isForeign(ChannelOption<?> option) {
        String name = ControlDataOptions.name(option);
        return FOREIGN.contains(name) || name.startsWith("TCP_") || name.startsWith("IP_");
    }

    /** Whether the option is given by its numbers, so that any option of the kernel can be used. */
    private static boolean isByNumber(ChannelOption<?> option) {
        return option instanceof IntegerUnixChannelOption || option instanceof RawUnixChannelOption;
    }

    private static Object getByNumber(ChannelSettings settings, ChannelOption<?> option) {
        String name = ControlDataOptions.name(option);
        if (option instanceof IntegerUnixChannelOption integer) {
            byte[] value = new byte[Integer.BYTES];
            settings.getOption(name, integer.level(), integer.optname(), value);
            return ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getInt();
        }
        RawUnixChannelOption raw = (RawUnixChannelOption) option;
        byte[] value = new byte[raw.length()];
        settings.getOption(name, raw.level(), raw.optname(), value);
        return ByteBuffer.wrap(value);
    }

    private static void setByNumber(ChannelSettings settings, ChannelOption<?> option, Object value) {
        String name = ControlDataOptions.name(option);
        if (option instanceof IntegerUnixChannelOption integer) {
            byte[] bytes = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt((Integer) value)
                    .array();
            settings.setOption(name, integer.level(), integer.optname(), bytes);
        } else {
            RawUnixChannelOption raw = (RawUnixChannelOption) option;
            ByteBuffer buffer = (ByteBuffer) value;
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            settings.setOption(name, raw.level(), raw.optname(), bytes);
        }
    }
}
