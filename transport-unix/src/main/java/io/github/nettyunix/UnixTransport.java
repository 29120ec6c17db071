package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.OwnedDescriptors;
import io.github.nettyunix.internal.endpoint.AdoptedSocket;
import io.github.nettyunix.internal.endpoint.HandOver;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.metrics.LoopCounts;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.FileDescriptors;
import io.github.nettyunix.internal.socket.Mapping;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.util.concurrent.Future;

import java.io.IOException;
import java.time.Duration;

/**
 * The entry point of the transport. It reports whether the transport works here, creates event loops, and turns
 * existing sockets into channels.
 * <pre>{@code
 * EventLoopGroup group = new MultiThreadIoEventLoopGroup(UnixTransport.newIoHandlerFactory());
 * }</pre>
 * The channels also run on any other event loop that uses Netty's {@link EpollIoHandler}, {@link KQueueIoHandler} or
 * {@link IoUringIoHandler}, which needs Linux 5.13 and Netty's io_uring transport on the class path.
 * All methods are thread-safe.
 */
public final class UnixTransport {
    private UnixTransport() {
    }

    /**
     * Returns the version of this library, and from which commit it was built. It can be called whether or not the
     * transport works here.
     *
     * @return the version
     */
    public static UnixTransportVersion version() {
        return UnixTransportVersion.load();
    }

    /**
     * Returns whether the transport works on this platform.
     *
     * @return true if it does
     */
    public static boolean isAvailable() {
        return NativeTransport.unavailabilityCause() == null;
    }

    /**
     * Returns why the transport does not work.
     *
     * @return an exception that states what is missing and how to fix it; {@code null} if the transport works
     */
    public static Throwable unavailabilityCause() {
        return NativeTransport.unavailabilityCause();
    }

    /**
     * Throws if the transport does not work on this platform.
     *
     * @throws UnsatisfiedLinkError with the cause
     */
    public static void ensureAvailability() {
        NativeTransport.ensureAvailability();
    }

    /**
     * Returns whether the platform has sockets of this type. macOS lacks {@link SocketType#SEQPACKET}.
     *
     * @param type the type
     * @return true if it has; false also if the transport is not available
     */
    public static boolean supports(SocketType type) {
        return isAvailable() && NativeTransport.supports(type);
    }

    /**
     * Returns whether {@link UnixSharedMemoryChannel}s work on this platform. They need memory files with seals
     * (Linux 3.17, FreeBSD 13) and seqpacket sockets, which macOS lacks.
     *
     * @return true if they do; false also if the transport is not available
     */
    public static boolean supportsSharedMemory() {
        return supports(SocketType.SEQPACKET) && Mapping.isSupported();
    }

    /**
     * Returns a factory of I/O handlers for event loops: epoll on Linux, kqueue on macOS and the BSDs.
     *
     * @return the factory
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static IoHandlerFactory newIoHandlerFactory() {
        return NativeTransport.newIoHandlerFactory();
    }

    /**
     * Returns a factory of I/O handlers for the lowest latency. Their event loops poll continuously and never sleep,
     * which saves the several microseconds per message that it takes to wake a thread. If no more than four of this
     * transport's channels on a loop are reading, the loop reads from them directly instead of calling epoll or kqueue;
     * servers do not count. Each thread keeps a processor busy even when there is nothing to do, so use fewer threads
     * than processors. TCP channels on such a loop do not sleep either. Groups that scale themselves do not suspend
     * these loops, and their {@link io.netty.channel.IoEventLoop#isIoType isIoType} returns false for Netty's handlers.
     *
     * @return the factory
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static IoHandlerFactory newSpinningIoHandlerFactory() {
        return NativeTransport.newSpinningIoHandlerFactory();
    }

    /**
     * Returns a factory of I/O handlers for low latency at times. Their event loops poll, as those of
     * {@link #newSpinningIoHandlerFactory()} do, until nothing has happened for the given time; then they sleep like
     * any other loop. Events on any channel of the loop count, and tasks that other threads submit, such as a write.
     * The tasks that the loop has scheduled do not. An idle loop therefore costs nothing, and a busy one does not pay
     * for waking its thread. About 50 microseconds cover the answer of a peer that is awake.
     *
     * @param look how long a loop polls after the last event; zero never polls
     * @return the factory
     * @throws IllegalArgumentException if the duration is negative
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static IoHandlerFactory newSpinningIoHandlerFactory(Duration look) {
        return NativeTransport.newSpinningIoHandlerFactory(look);
    }

    /**
     * Creates a channel for an existing AF_UNIX socket that was inherited, received from another process, or created by
     * other code. The type of the socket and whether it is listening determine the class of the channel. The channel
     * has the state and the addresses of the socket. The socket is made close-on-exec and non-blocking, the latter for
     * all processes that share it. Its socket file stays when the channel closes.
     *
     * @param fd the descriptor, which the channel owns from now on; descriptor 0 is moved to another number, and
     *        {@code /dev/null} takes its place, so that children inherit that
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is not an open AF_UNIX socket; the caller keeps its ownership
     *         then
     */
    public static Channel adopt(int fd) {
        return adopt(AdoptedSocket.of(fd));
    }

    /**
     * Creates a channel as {@link #adopt(int)} does, and detaches the descriptor from its owner.
     *
     * @param fd the descriptor
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is not an open AF_UNIX socket; the owner does not change then
     */
    public static Channel adopt(UnixFileDescriptor fd) {
        ensureAvailability();
        if (!OwnedDescriptors.beginUse(fd)) {
            throw SocketErrors.newChannelException(Operation.ADOPT, null, null, Errno.EBADF,
                    "descriptor " + fd.intValue());
        }
        boolean detached = false;
        try {
            int number = fd.intValue();
            AbstractUnixChannel channel = adopt(AdoptedSocket.of(number));
            detached = fd.tryDetach();
            if (detached) {
                return channel;
            }
            // Another thread has closed it. The channel is forgotten; what it opened itself is not its owner's to
            // close.
            if (channel.socket.intValue() != number) {
                FileDescriptors.close(channel.socket.intValue());
            }
            throw SocketErrors.newChannelException(Operation.ADOPT, null, null, Errno.EBADF, "descriptor " + number);
        } finally {
            if (!detached) {
                OwnedDescriptors.endUse(fd);
            }
        }
    }

    /**
     * Gives the socket of a channel away without losing data: to a child process, to another process as the descriptor
     * of a message, or to a channel on another kind of event loop. This is the counterpart of
     * {@link #adopt(UnixFileDescriptor)}.
     *
     * <p>The channel stops reading: auto-read is off, and {@code read()} has no effect. What it has already received
     * from the kernel, which may be many records, passes through the pipeline as usual. Then the flushed messages are
     * written, including those that handlers write and flush in reply to these records. Then the future completes with
     * a descriptor. After its listeners, which run on the channel's event loop, the channel closes. The peer does not
     * notice. A socket file stays in place.
     *
     * <p>Data held by handlers is not transferred: a decoder that holds the start of a message passes it to the next
     * handler when a listener of the future removes the decoder from the pipeline. Messages that have been written but
     * not flushed by then fail.
     *
     * <p>Cancelling the future before it completes leaves the channel as it was. If the peer does not read what was
     * flushed, the future does not complete; close the channel to give up. Thread-safe.
     *
     * @param channel a channel of this transport; a server stops accepting, and its backlog is transferred with the
     *        socket
     * @return a future that completes with the descriptor, which is close-on-exec and must be released by the caller;
     *         it fails with {@link java.nio.channels.ClosedChannelException} if the channel closes first, is to close
     *         because a write has failed ({@link io.netty.channel.ChannelOption#AUTO_CLOSE} is on), or has yet to
     *         report that the peer has reset the connection, with {@link IllegalStateException} if it is already being
     *         handed over or moves to another event loop, and with {@link IOException} if the process has reached its
     *         limit of descriptors; the last two leave the channel as it was
     * @throws IllegalArgumentException if the channel belongs to another transport
     * @throws UnsupportedOperationException for a {@link UnixSharedMemoryChannel}, whose memory belongs to this process
     */
    public static Future<UnixFileDescriptor> handOver(Channel channel) {
        if (channel instanceof UnixSharedMemoryChannel) {
            throw new UnsupportedOperationException("handOver shared memory: what is in the memory would be lost");
        }
        if (channel instanceof AbstractUnixChannel unixChannel) {
            return HandOver.of(unixChannel.core(), unixChannel.core(), unixChannel.readLoop, unixChannel.endpoint);
        }
        throw foreign(channel);
    }

    /**
     * Reports on an event loop when a descriptor can be read or written. Thread-safe.
     *
     * <p>Do not watch a character device that a peer has sent: the process behind it (CUSE) may never respond, and the
     * event loop waits. All other types are harmless.
     *
     * @param eventLoop an event loop on which this transport's channels run
     * @param fd the descriptor, whose ownership does not change: the watch duplicates it
     * @param handler called on the event loop
     * @param events what the handler is called for; none until {@link DescriptorWatch#setEvents}
     * @return a future that completes with the watch. It fails with an {@link IOException} if the descriptor is closed,
     *         the process has reached its limit of descriptors, or the descriptor cannot be watched because it is
     *         always ready: that of a file, a directory or a disk (EPERM). With epoll, that is also the case for some
     *         devices such as {@code /dev/null}. It fails with {@link IllegalStateException} for an event loop of
     *         another kind, such as NIO's, and with {@link java.util.concurrent.RejectedExecutionException} for one
     *         that has shut down.
     * @throws UnsatisfiedLinkError if the transport is not available
     */
    public static Future<DescriptorWatch> watch(EventLoop eventLoop, UnixFileDescriptor fd,
            DescriptorWatch.Handler handler, DescriptorWatch.Event... events) {
        ensureAvailability();
        return DescriptorWatch.start(eventLoop, fd, handler, events);
    }

    /**
     * Returns the counters of a channel. Thread-safe; the counters can be read on any thread, and after the channel was
     * closed.
     *
     * @param channel a channel of this transport
     * @return its counters
     * @throws IllegalArgumentException if the channel belongs to another transport
     */
    public static UnixMetrics metrics(Channel channel) {
        if (channel instanceof AbstractUnixChannel unixChannel) {
            return new UnixMetrics(unixChannel.counts);
        }
        throw foreign(channel);
    }

    /**
     * Returns the counters of an event loop: the sums of what this transport's channels have counted while they were
     * registered with it, including those that are closed. Thread-safe; the counters can be read on any thread, and
     * after the loop was shut down.
     *
     * @param eventLoop any event loop; if no channel of this transport was ever registered with it, all counters are 0
     * @return its counters
     */
    public static UnixMetrics metrics(EventLoop eventLoop) {
        return new UnixMetrics(LoopCounts.of(eventLoop));
    }

    private static IllegalArgumentException foreign(Channel channel) {
        return new IllegalArgumentException("not a channel of this transport: " + channel);
    }

    private static AbstractUnixChannel adopt(AdoptedSocket adopted) {
        if (adopted.isListening()) {
            return adopted.type() == SocketType.STREAM
                    ? AbstractUnixChannel.adopt(adopted, UnixServerStreamChannel::new)
                    : AbstractUnixChannel.adopt(adopted, UnixServerSeqpacketChannel::new);
        }
        return switch (adopted.type()) {
            case STREAM -> AbstractUnixChannel.adopt(adopted, socket -> new UnixStreamChannel(null, socket));
            case SEQPACKET -> AbstractUnixChannel.adopt(adopted, socket -> new UnixSeqpacketChannel(null, socket));
            case DATAGRAM -> AbstractUnixChannel.adopt(adopted, UnixDatagramChannel::new);
        };
    }
}
