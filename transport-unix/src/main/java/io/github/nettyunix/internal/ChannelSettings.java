package io.github.nettyunix.internal;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.SocketFilePolicy;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.read.RecordMark;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.channel.Channel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.util.NetUtil;
import io.netty.util.internal.MathUtil;
import io.netty.util.internal.ObjectUtil;

/**
 * The values of a channel's options, except those that all of Netty's channels have. {@link SocketOptions} lists the
 * options. Set and read on any thread.
 */
public final class ChannelSettings {
    /** Twice the wmem_max of current Linux, which is the largest SO_SNDBUF of an unprivileged sender. */
    private static final int DEFAULT_MAX_MESSAGE_SIZE = 8 << 20;

    /** As CONNECT_TIMEOUT_MILLIS. */
    private static final int DEFAULT_DATAGRAM_WAIT_MILLIS = 30_000;

    /** The capacities of a ring, powers of two: twice the most, and a header, fit into one buffer. */
    public static final int MIN_SHARED_MEMORY_CAPACITY = 1 << 16;
    public static final int MAX_SHARED_MEMORY_CAPACITY = 1 << 29;
    private static final int DEFAULT_SHARED_MEMORY_CAPACITY = 1 << 20;

    private final UnixSocket socket;
    private final ControlDataOptions controlData;

    private volatile boolean allowHalfClosure;
    private volatile boolean activeOnRegistration;
    private volatile boolean exactDescriptorPositions;
    private volatile int backlog = NetUtil.SOMAXCONN;
    private volatile int datagramWaitMillis = DEFAULT_DATAGRAM_WAIT_MILLIS;
    private volatile int maxMessageSize = DEFAULT_MAX_MESSAGE_SIZE;
    private volatile int sharedMemoryCapacity = DEFAULT_SHARED_MEMORY_CAPACITY;
    private volatile boolean recordParts;
    private volatile boolean zeroCopyReads;
    private volatile DomainSocketReadMode readMode = DomainSocketReadMode.BYTES;
    private volatile SocketFilePolicy socketFile = SocketFilePolicy.replaceStale();
    private volatile DatagramQueueFull datagramQueueFull = DatagramQueueFull.WAIT;

    /** @param mark what marks the socket's records; {@code null} where empty ones cannot be mistaken */
    public ChannelSettings(Channel channel, SocketType type, UnixSocket socket, RecordMark mark) {
        this.socket = socket;
        controlData = new ControlDataOptions(channel, type, socket, mark);
    }

    /** Returns the options about control data, and what follows from them. */
    public ControlDataOptions controlData() {
        return controlData;
    }

    public boolean isAllowHalfClosure() {
        return allowHalfClosure;
    }

    public void setAllowHalfClosure(boolean allowHalfClosure) {
        this.allowHalfClosure = allowHalfClosure;
    }

    public boolean isActiveOnRegistration() {
        return activeOnRegistration;
    }

    void setActiveOnRegistration(boolean activeOnRegistration) {
        this.activeOnRegistration = activeOnRegistration;
    }

    public boolean isExactDescriptorPositions() {
        return exactDescriptorPositions;
    }

    void setExactDescriptorPositions(boolean exactDescriptorPositions) {
        if (exactDescriptorPositions && !ReceiveBatch.CAN_FIND_BARRIER) {
            throw new UnsupportedOperationException("EXACT_DESCRIPTOR_POSITIONS stream: it needs Linux");
        }
        this.exactDescriptorPositions = exactDescriptorPositions;
    }

    public int backlog() {
        return backlog;
    }

    void setBacklog(int backlog) {
        this.backlog = ObjectUtil.checkPositiveOrZero(backlog, "SO_BACKLOG");
    }

    public int datagramWaitMillis() {
        return datagramWaitMillis;
    }

    void setDatagramWaitMillis(int datagramWaitMillis) {
        this.datagramWaitMillis = ObjectUtil.checkPositiveOrZero(datagramWaitMillis, "DATAGRAM_WAIT_MILLIS");
    }

    public int maxMessageSize() {
        return maxMessageSize;
    }

    void setMaxMessageSize(int maxMessageSize) {
        this.maxMessageSize = ObjectUtil.checkPositive(maxMessageSize, "MAX_MESSAGE_SIZE");
    }

    public int sharedMemoryCapacity() {
        return sharedMemoryCapacity;
    }

    /** Rounds up to a capacity that rings can have. */
    void setSharedMemoryCapacity(int sharedMemoryCapacity) {
        ObjectUtil.checkInRange(sharedMemoryCapacity, 1, MAX_SHARED_MEMORY_CAPACITY, "SHARED_MEMORY_CAPACITY");
        this.sharedMemoryCapacity = Math.max(MathUtil.findNextPositivePowerOfTwo(sharedMemoryCapacity),
                MIN_SHARED_MEMORY_CAPACITY);
    }

    public boolean isRecordParts() {
        return recordParts;
    }

    void setRecordParts(boolean recordParts) {
        this.recordParts = recordParts;
    }

    public boolean isZeroCopyReads() {
        return zeroCopyReads;
    }

    void setZeroCopyReads(boolean zeroCopyReads) {
        this.zeroCopyReads = zeroCopyReads;
    }

    public DomainSocketReadMode readMode() {
        return readMode;
    }

    public void setReadMode(DomainSocketReadMode readMode) {
        this.readMode = ObjectUtil.checkNotNull(readMode, "mode");
    }

    public SocketFilePolicy socketFile() {
        return socketFile;
    }

    void setSocketFile(SocketFilePolicy socketFile) {
        this.socketFile = socketFile;
    }

    public DatagramQueueFull datagramQueueFull() {
        return datagramQueueFull;
    }

    void setDatagramQueueFull(DatagramQueueFull datagramQueueFull) {
        this.datagramQueueFull = datagramQueueFull;
    }

    public int sendBufferSize() {
        return controlData.check(Operation.GETSOCKOPT, "SO_SNDBUF", socket.getOption(UnixSocket.SNDBUF));
    }

    public void setSendBufferSize(int sendBufferSize) {
        controlData.check(Operation.SETSOCKOPT, "SO_SNDBUF", socket.setOption(UnixSocket.SNDBUF, sendBufferSize));
    }

    int receiveBufferSize() {
        return controlData.check(Operation.GETSOCKOPT, "SO_RCVBUF", socket.getOption(UnixSocket.RCVBUF));
    }

    void setReceiveBufferSize(int receiveBufferSize) {
        controlData.check(Operation.SETSOCKOPT, "SO_RCVBUF", socket.setOption(UnixSocket.RCVBUF, receiveBufferSize));
    }

    /** Reads any option, by its numbers; {@code name} is for the error. */
    void getOption(String name, int level, int option, byte[] value) {
        controlData.check(Operation.GETSOCKOPT, name, socket.getOption(level, option, value));
    }

    /** Sets any option, by its numbers; {@code name} is for the error. */
    void setOption(String name, int level, int option, byte[] value) {
        controlData.check(Operation.SETSOCKOPT, name, socket.setOption(level, option, value));
    }
}
