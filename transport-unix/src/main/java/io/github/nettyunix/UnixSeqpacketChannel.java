package io.github.nettyunix;

import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.endpoint.AdoptedSocket;
import io.github.nettyunix.internal.read.ChannelReader;
import io.github.nettyunix.internal.read.InboundMessages;
import io.github.nettyunix.internal.read.RecordMark;
import io.github.nettyunix.internal.read.RecordReader;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.github.nettyunix.internal.write.RecordWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;

import java.io.IOException;
import java.util.List;

/**
 * A connection that carries records (SOCK_SEQPACKET), together with descriptors and credentials. Records are never
 * merged, split or truncated, may be empty, and arrive in order. macOS has no such sockets.
 *
 * <p>Reads deliver one {@link ByteBuf} per record, or one {@link UnixMessage} if
 * {@link UnixSocketOption#RECEIVE_CONTROL_DATA} is set. Writes accept {@link ByteBuf}s, {@link UnixMessage}s, and
 * {@link io.netty.channel.unix.FileDescriptor}s, which are sent with an empty record. On Linux, the longest record that
 * can be sent is 32 bytes shorter than {@code SO_SNDBUF}. A longer one fails its promise, and the channel stays usable.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class UnixSeqpacketChannel extends AbstractUnixConnection {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, RecordReader.MESSAGES_PER_READ);

    private static final RecordReader.MessageFactory MESSAGES = (content, sender, batch, index, controlData) ->
            controlData ? InboundMessages.newMessage(content, batch, index) : content;

    private final RecordReader reader = new RecordReader(core(), readLoop, MESSAGES,
            ReceiveBatch.RECORDS | ReceiveBatch.HAS_EOF) {
        @Override
        public int read(ExtendedHandle allocHandle, int before) throws IOException {
            int result;
            try {
                result = super.read(allocHandle, before);
            } catch (IOException e) {
                if (e instanceof UnixSocketError error && error.errno() == Errno.ECONNRESET) {
                    // The kernel reports it once, before what is left. To find nothing would end a drain.
                    readLoop.keepReset(e);
                    result = super.read(allocHandle, before);
                } else {
                    throw e;
                }
            }
            if (result == END_OF_STREAM) {
                // A reset that comes with the end may show only after it.
                keepReset(peek());
                IOException cause = readLoop.takeReset();
                if (cause != null) {
                    throw cause;
                }
            }
            return result;
        }
    };
    private final RecordWriter writer = new RecordWriter(core(), writeSchedule);

    /**
     * Creates a channel with a new socket, which is not connected yet.
     *
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process has reached its
     *         limit of descriptors
     */
    public UnixSeqpacketChannel() {
        this(null, RecordMark.ofNewSocket());
    }

    /** The channel owns the socket, which stays the caller's if this fails. */
    UnixSeqpacketChannel(Channel parent, UnixSocket socket) {
        this(parent, new RecordMark(socket));
    }

    private UnixSeqpacketChannel(Channel parent, RecordMark mark) {
        super(parent, SocketType.SEQPACKET, SocketOptions.SEQPACKET, mark.socket(), mark);
    }

    /**
     * Creates a channel for an existing socket, connected or not.
     *
     * @param fd a SOCK_SEQPACKET socket that is not listening; the channel takes ownership of it and makes it
     *        non-blocking and close-on-exec
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is anything else; the caller keeps its ownership then
     */
    public static UnixSeqpacketChannel adopt(int fd) {
        return adopt(AdoptedSocket.of(fd, SocketType.SEQPACKET, false),
                socket -> new UnixSeqpacketChannel(null, socket));
    }

    /**
     * Creates two channels that are connected to each other.
     *
     * @return two channels, which the caller must register
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process has reached its
     *         limit of descriptors
     */
    public static List<UnixSeqpacketChannel> pair() {
        return pair(SocketType.SEQPACKET, socket -> new UnixSeqpacketChannel(null, socket));
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    ChannelReader reader() {
        return reader;
    }

    @Override
    ChannelWriter writer() {
        return writer;
    }
}
