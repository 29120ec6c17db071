package io.github.nettyunix.internal.read;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.errors.ErrorDetails;
import io.github.nettyunix.internal.errors.SocketErrors;
import io.github.nettyunix.internal.socket.Operation;
import io.github.nettyunix.internal.socket.SendBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.netty.buffer.Unpooled;

/**
 * The mark that distinguishes an empty record of a seqpacket socket from the end of the stream, see
 * {@link UnixSocket#markRecords}: labels, which cost least and mark a record if there is no control buffer, or
 * timestamps, which always mark it.
 */
public final class RecordMark {
    /** Whether the kernel marks records by labels; determined once. */
    private static final class Labels {
        static final boolean WORK = work();

        private static boolean work() {
            int[] fds = new int[2];
            if (UnixSocket.newSocketPair(SocketType.SEQPACKET.ordinal(), fds) < 0) {
                return false;
            }
            UnixSocket sender = new UnixSocket(fds[0]);
            UnixSocket receiver = new UnixSocket(fds[1]);
            try {
                SendBatch batch = SendBatch.current();
                batch.add(Unpooled.EMPTY_BUFFER, null);
                return receiver.markRecords(false, true) == 0 && batch.sendRecords(sender, 0) == 1
                        && receiver.peek(true) > 0;
            } finally {
                sender.closeQuietly();
                receiver.closeQuietly();
            }
        }
    }

    private final UnixSocket socket;
    private volatile boolean timestamped;

    /**
     * Marks the records of this socket.
     *
     * @throws io.netty.channel.ChannelException if the kernel refuses: the first empty record would be taken for the
     *         end
     */
    public RecordMark(UnixSocket socket) {
        this.socket = socket;
        if (!Labels.WORK || socket.markRecords(false, true) < 0) {
            timestamp();
        }
    }

    /** Creates a socket and marks its records. */
    public static RecordMark ofNewSocket() {
        UnixSocket socket = NativeTransport.newSocket(SocketType.SEQPACKET);
        try {
            return new RecordMark(socket);
        } catch (Throwable t) {
            socket.closeQuietly();
            throw t;
        }
    }

    /** The socket whose records are marked. */
    public UnixSocket socket() {
        return socket;
    }

    public boolean isTimestamped() {
        return timestamped;
    }

    /** Marks records by timestamps, which also work with a control buffer. */
    public void timestamp() {
        if (!timestamped) {
            int result = socket.markRecords(true, true);
            if (result < 0) {
                throw SocketErrors.newChannelException(new ErrorDetails(Operation.SETSOCKOPT, "SO_TIMESTAMP",
                        SocketType.SEQPACKET, null, result, "empty records would look like the end of the stream"));
            }
            timestamped = true;
        }
    }
}
