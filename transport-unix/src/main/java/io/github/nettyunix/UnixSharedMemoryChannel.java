package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.memory.MemoryLink;
import io.github.nettyunix.internal.read.ChannelReader;
import io.github.nettyunix.internal.read.RecordReader;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelPromise;

import java.io.IOException;
import java.util.List;

/**
 * A connection that carries records through memory which both processes share, so that the kernel does not copy them.
 * It behaves as a {@link UnixSeqpacketChannel} does: one write is one record, which arrives as a {@link ByteBuf}, or as
 * a {@link UnixMessage} if {@link UnixSocketOption#RECEIVE_CONTROL_DATA} is set. Writes accept {@link ByteBuf}s, {@link
 * UnixMessage}s, and {@link io.netty.channel.unix.FileDescriptor}s, which are sent with an empty record. The peer must
 * be such a channel, too.
 *
 * <p>Each side writes to memory of its own ({@link UnixSocketOption#SHARED_MEMORY_CAPACITY}). A connect completes when
 * both sides have shared theirs, over a socket (SOCK_SEQPACKET) that remains for descriptors, credentials, waking the
 * peer, and noticing its end. A peer that does not speak this protocol fails the connect with EPROTO, one that is
 * silent after {@code CONNECT_TIMEOUT_MILLIS}. When there is no room, writes wait, and the channel becomes unwritable
 * as any other. A promise completes when the record is in the memory. What is there when the process ends is still
 * delivered.
 *
 * <p>Records of any length can be sent; the receiver's {@link UnixSocketOption#MAX_MESSAGE_SIZE} applies. Credentials
 * arrive only with records that were sent with credentials or descriptors; the socket's
 * {@link #peerCredentials()} are known in any case.
 *
 * <p>It pays on connections between processes that trust each other enough to hold memory for each other, and that
 * exchange many records. On event loops that sleep, a single request and its response take as long as on a socket;
 * {@link UnixTransport#newSpinningIoHandlerFactory(java.time.Duration)} makes loops that look before they sleep.
 * {@link UnixTransport#supportsSharedMemory()} says whether the platform has what it takes.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/memfd_create.2.html">memfd_create(2)</a>
 */
public final class UnixSharedMemoryChannel extends AbstractUnixConnection {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, RecordReader.MESSAGES_PER_READ);

    private final MemoryLink link;

    /**
     * Creates a channel with a new socket, which is not connected yet.
     *
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process has reached its
     *         limit of descriptors
     */
    public UnixSharedMemoryChannel() {
        this(null, NativeTransport.newSocket(SocketType.SEQPACKET));
    }

    /** The channel owns the socket, which stays the caller's if this fails. With a parent, the peer connects. */
    UnixSharedMemoryChannel(Channel parent, UnixSocket socket) {
        super(parent, SocketType.SEQPACKET, SocketOptions.SHARED_MEMORY, socket, null);
        link = new MemoryLink(core(), readLoop, writeSchedule, interest, parent != null, new MemoryLink.Owner() {
            @Override
            public void established() throws IOException {
                if (parent() == null) {
                    core().connectAttempt().complete();
                } else {
                    core().activate();
                    pipeline().fireChannelActive();
                }
            }

            @Override
            public void refused(IOException cause) {
                if (parent() == null) {
                    core().connectAttempt().refused(cause);
                } else {
                    pipeline().fireExceptionCaught(cause);
                    core().close();
                }
            }
        });
    }

    /**
     * Creates two channels that are connected to each other, with memory of the default capacity in each direction.
     *
     * @return two channels, which the caller must register
     * @throws io.netty.channel.ChannelException if {@link UnixTransport#supportsSharedMemory()} is false, or the
     * process has reached its limit of descriptors or memory
     */
    public static List<UnixSharedMemoryChannel> pair() {
        List<UnixSharedMemoryChannel> pair = NativeTransport.newPair(SocketType.SEQPACKET,
                socket -> new UnixSharedMemoryChannel(null, socket));
        try {
            MemoryLink.connect(pair.get(0).link, pair.get(1).link);
        } catch (IOException e) {
            pair.forEach(channel -> channel.socket.closeQuietly());
            int errno = e instanceof UnixSocketError error ? error.errno() : Errno.EIO;
            throw SocketErrors.newChannelException(Operation.SOCKETPAIR, SocketType.SEQPACKET, null, errno,
                    e.getMessage());
        }
        pair.forEach(channel -> channel.setActive(UnixSocketAddress.unnamed(), UnixSocketAddress.unnamed()));
        return pair;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    ByteBufAllocator memoryAllocator() {
        return link.allocator();
    }

    @Override
    ChannelReader reader() {
        return link;
    }

    @Override
    ChannelWriter writer() {
        return link.writer();
    }

    /** A connection that was accepted becomes active after the handshake. */
    @Override
    void setActive(UnixSocketAddress local, UnixSocketAddress remote) {
        if (link.isShakingHands()) {
            endpoint.set(local, remote);
        } else {
            super.setActive(local, remote);
        }
    }

    @Override
    boolean establish() throws IOException {
        link.offer();
        return false;
    }

    @Override
    protected void doRegister(ChannelPromise promise) {
        promise.addListener(future -> {
            if (future.isSuccess()) {
                link.awaitOffer();
            }
        });
        super.doRegister(promise);
    }
}
