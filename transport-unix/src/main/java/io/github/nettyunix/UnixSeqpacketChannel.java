package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.ReceiveBatch;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;

import java.io.IOException;
import java.util.List;

/**
 * A connection that carries records (SOCK_SEQPACKET), and descriptors and credentials with them. A record is never
 * merged, split or cut, may be empty, and arrives in order. Not on macOS.
 *
 * <p>Read are {@link ByteBuf}s, one a record, or with {@link UnixSocketOption#RECEIVE_CONTROL_DATA}
 * {@link UnixMessage}s. Written are {@link ByteBuf}s, {@link UnixMessage}s, and
 * {@link io.netty.channel.unix.FileDescriptor}s, which go with an empty record. The longest record that can be sent is
 * 32 bytes less than {@code SO_SNDBUF} on Linux; the write of a longer one fails, and the channel stays usable.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class UnixSeqpacketChannel extends AbstractUnixConnection {
    private static final ChannelMetadata METADATA = new ChannelMetadata(false, RecordReader.MESSAGES_PER_READ);

    /** A connection has one sender. */
    private static final RecordReader.MessageFactory MESSAGES = new RecordReader.MessageFactory() {
        @Override
        public UnixSocketAddress sender(ReceiveBatch batch, int index) {
            return null;
        }

        @Override
        public Object newMessage(ByteBuf content, UnixSocketAddress sender, ReceiveBatch batch, int index,
                boolean controlData) {
            return controlData ? InboundMessages.newMessage(content, batch, index) : content;
        }
    };

    private final RecordReader reader = new RecordReader(this, MESSAGES, ReceiveBatch.RECORDS | ReceiveBatch.HAS_EOF);
    private final RecordWriter writer = new RecordWriter(this);
    private final RecordMarks marks;

    /**
     * A new socket, to be connected.
     *
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process may have no more
     *         descriptors
     */
    public UnixSeqpacketChannel() {
        this(null, RecordMarks.ofNewSocket());
    }

    /** The channel owns the socket, which stays the caller's if this fails. */
    UnixSeqpacketChannel(Channel parent, UnixSocket socket) {
        this(parent, new RecordMarks(socket));
    }

    private UnixSeqpacketChannel(Channel parent, RecordMarks marks) {
        super(parent, SocketType.SEQPACKET, marks.socket());
        this.marks = marks;
    }

    /**
     * A channel for a socket from elsewhere, connected or not.
     *
     * @param fd a SOCK_SEQPACKET socket that does not listen; the channel owns it and makes it non-blocking and
     *         close-on-exec
     * @return the channel, to be registered by the caller
     * @throws io.netty.channel.ChannelException if it is anything else; it stays the caller's then
     */
    public static UnixSeqpacketChannel adopt(int fd) {
        return (UnixSeqpacketChannel) UnixTransport.adopt(fd, SocketType.SEQPACKET, false);
    }

    /**
     * Two channels that are connected to each other.
     *
     * @return two channels, to be registered by the caller
     * @throws io.netty.channel.ChannelException if the platform has no such sockets, or the process may have no more
     *         descriptors
     */
    public static List<UnixSeqpacketChannel> pair() {
        return UnixTransport.pair(SocketType.SEQPACKET, socket -> new UnixSeqpacketChannel(null, socket));
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }

    @Override
    RecordMarks recordMarks() {
        return marks;
    }

    @Override
    int doReadMessages(ExtendedHandle allocHandle, int before) throws IOException {
        int result;
        try {
            result = reader.read(allocHandle, before);
        } catch (IOException e) {
            if (e instanceof UnixSocketError error && error.errno() == Errno.ECONNRESET) {
                // The socket stays readable, by what is left or by the end of the stream.
                keepReset(e);
                return NOTHING;
            }
            throw e;
        }
        IOException cause = result == END_OF_STREAM ? takeReset() : null;
        if (cause != null) {
            throw cause;
        }
        return result;
    }

    @Override
    boolean maybeMoreToRead(ExtendedHandle allocHandle) {
        return reader.maybeMore();
    }

    @Override
    boolean hasUndelivered() {
        return reader.hasMessages();
    }

    @Override
    void drain() {
        reader.drain();
    }

    @Override
    protected Object filterOutboundMessage(Object message) throws IOException {
        return OutboundMessages.filter(this, message);
    }

    @Override
    void write(ChannelOutboundBuffer in) throws Exception {
        writer.write(in, maxMessagesPerWrite());
    }

    @Override
    void completeSent() {
        writer.completeSent();
    }

    @Override
    protected void doClose() throws Exception {
        reader.close();
        super.doClose();
    }
}
