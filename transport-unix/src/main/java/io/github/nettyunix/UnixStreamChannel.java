package io.github.nettyunix;

import io.github.nettyunix.socket.Errno;
import io.github.nettyunix.socket.SendBatch;
import io.github.nettyunix.socket.StreamBatch;
import io.github.nettyunix.socket.UnixSocket;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.FileRegion;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.DomainSocketChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.SocketWritableByteChannel;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A connection that carries bytes (SOCK_STREAM), and descriptors and credentials with them.
 *
 * <p>Read are {@link ByteBuf}s, or with {@link UnixSocketOption#RECEIVE_CONTROL_DATA} {@link UnixMessage}s: each is what one
 * read found. Its descriptors came with one of its bytes or an earlier one, never with a later one; which byte it was is not
 * known. With {@link DomainSocketReadMode#FILE_DESCRIPTORS} read are Netty's plain {@link FileDescriptor}s, to be closed by
 * the reader, and bytes are dropped.
 *
 * <p>Written are {@link ByteBuf}s, {@link FileRegion}s, {@link UnixMessage}s, whose descriptors need at least one byte to
 * travel with, and {@link FileDescriptor}s, which go with one zero byte.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class UnixStreamChannel extends AbstractUnixConnection implements DomainSocketChannel {
    /** What goes with a descriptor that is written without a message. */
    private static final ByteBuf ONE_ZERO = Unpooled.unreleasableBuffer(Unpooled.directBuffer(1).writeZero(1)).asReadOnly();

    private static final int WOULD_BLOCK = -1;

    private final StreamReader reader = new StreamReader(this);
    private SocketWritableByteChannel byteChannel;

    /**
     * A new socket, to be connected.
     *
     * @throws io.netty.channel.ChannelException if the process may have no more descriptors
     */
    public UnixStreamChannel() {
        this(null, newSocket(SocketType.STREAM));
    }

    UnixStreamChannel(Channel parent, UnixSocket socket) {
        super(parent, SocketType.STREAM, socket);
    }

    /**
     * A channel for a socket from elsewhere, connected or not.
     *
     * @param fd a SOCK_STREAM socket that does not listen; the channel owns it and makes it non-blocking and close-on-exec
     * @return the channel, to be registered by the caller
     * @throws io.netty.channel.ChannelException if it is anything else; it stays the caller's then
     */
    public static UnixStreamChannel adopt(int fd) {
        return (UnixStreamChannel) UnixTransport.adopt(fd, SocketType.STREAM, false);
    }

    /**
     * Two channels that are connected to each other.
     *
     * @return two channels, to be registered by the caller
     * @throws io.netty.channel.ChannelException if the process may have no more descriptors
     */
    public static List<UnixStreamChannel> pair() {
        return UnixTransport.pair(SocketType.STREAM, socket -> new UnixStreamChannel(null, socket));
    }

    @Override
    int doReadMessages(ExtendedHandle allocHandle, int before) throws IOException {
        return reader.read(allocHandle, before);
    }

    @Override
    boolean maybeMoreToRead(ExtendedHandle allocHandle) {
        return reader.maybeMore(allocHandle);
    }

    @Override
    boolean hasUndelivered() {
        return reader.hasMessages();
    }

    @Override
    protected void doClose() throws Exception {
        reader.close();
        super.doClose();
    }

    @Override
    protected Object filterOutboundMessage(Object message) throws IOException {
        if (message instanceof ByteBuf buffer) {
            return OutboundMessages.toDirect(this, buffer);
        }
        return message instanceof FileRegion ? message : OutboundMessages.filter(this, message);
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) throws Exception {
        int spins = config().getWriteSpinCount();
        do {
            Object message = in.current();
            if (message == null) {
                writeComplete();
                return;
            }
            int calls = message instanceof ByteBuf ? writeBytes(in)
                    : message instanceof FileRegion region ? writeRegion(in, region) : writeMessages(in, message);
            if (calls == WOULD_BLOCK) {
                return;
            }
            spins -= calls;
        } while (spins > 0);
        yieldWriting();
    }

    /** Writes the buffers up to the next message that is something else. */
    private int writeBytes(ChannelOutboundBuffer in) throws Exception {
        StreamBatch batch = StreamBatch.current();
        in.forEachFlushedMessage(batch);
        long written = batch.send(socket);
        if (written < 0) {
            return waitOrThrow((int) written);
        }
        in.removeBytes(written);
        return written == 0 ? 0 : 1;
    }

    /** Writes the messages with control data at the head; each one's goes with the first of its bytes that the kernel takes. */
    private int writeMessages(ChannelOutboundBuffer in, Object message) throws Exception {
        SendBatch batch = SendBatch.current();
        boolean started = in.currentProgress() > 0;
        if (started) {
            batch.add(((UnixMessage) message).content(), null);
        } else if (OutboundMessages.hasClosedDescriptor(message)) {
            in.remove(newException("write", Errno.EBADF, "a descriptor was closed before it was sent: " + message));
            return 1;
        } else {
            in.forEachFlushedMessage(next -> !(next instanceof ByteBuf) && !(next instanceof FileRegion)
                    && !OutboundMessages.hasClosedDescriptor(next) && OutboundMessages.add(batch, next, null, ONE_ZERO));
        }
        long written = batch.sendStream(socket);
        if (written < 0) {
            int errno = (int) -written;
            if (started || errno == Errno.EAGAIN || Errno.isTransient(errno) || isConnectionLost(errno)) {
                return waitOrThrow((int) written);
            }
            // The kernel refuses this message, and nothing of it went out.
            in.remove(newException("write", errno, null));
            return 1;
        }
        removeMessages(in, written);
        return 1;
    }

    private void removeMessages(ChannelOutboundBuffer in, long written) {
        while (written > 0) {
            Object message = in.current();
            if (message == null) {
                // A listener of one before has closed the channel.
                return;
            }
            if (message == Unpooled.EMPTY_BUFFER) {
                // What a cancelled write leaves behind.
                in.remove();
                continue;
            }
            if (in.currentProgress() == 0) {
                SentDescriptors.keep(this, message);
            }
            int length = message instanceof UnixMessage unixMessage ? unixMessage.content().readableBytes() : ONE_ZERO.readableBytes();
            if (written < length) {
                in.progress(written);
                ((UnixMessage) message).content().skipBytes((int) written);
                return;
            }
            in.progress(length);
            in.remove();
            written -= length;
        }
    }

    private int waitOrThrow(int result) throws IOException {
        if (result == -Errno.EAGAIN) {
            awaitWritable();
        } else if (Errno.isTransient(-result)) {
            retryWriting(10, TimeUnit.MILLISECONDS);
        } else {
            throw newException("write", result, null);
        }
        return WOULD_BLOCK;
    }

    private int writeRegion(ChannelOutboundBuffer in, FileRegion region) throws IOException {
        if (region.transferred() >= region.count()) {
            in.remove();
            return 0;
        }
        if (byteChannel == null) {
            byteChannel = new SocketWritableByteChannel(socket) {
                @Override
                protected ByteBufAllocator alloc() {
                    return UnixStreamChannel.this.alloc();
                }
            };
        }
        long position = region.transferred();
        long written = region.transferTo(byteChannel, position);
        if (written > 0) {
            in.progress(written);
            if (region.transferred() >= region.count()) {
                in.remove();
            }
            return 1;
        }
        if (written == 0 && region instanceof DefaultFileRegion file) {
            // Is it the socket that is full, or the file that is too short?
            validateFileRegion(file, position);
        }
        awaitWritable();
        return WOULD_BLOCK;
    }
}
