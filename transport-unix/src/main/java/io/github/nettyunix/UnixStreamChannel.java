package io.github.nettyunix;

import io.github.nettyunix.socket.UnixSocket;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.FileRegion;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.unix.DomainSocketChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;

import java.io.IOException;
import java.util.List;

/**
 * A connection that carries bytes (SOCK_STREAM), together with descriptors and credentials.
 *
 * <p>Reads deliver {@link ByteBuf}s, each with the bytes of one read, or {@link UnixMessage}s if
 * {@link UnixSocketOption#RECEIVE_CONTROL_DATA} is set. A descriptor arrives with the byte that it was sent with or
 * with an earlier one, never with a later one. The receiver cannot tell which byte it was, unless
 * {@link UnixSocketOption#EXACT_DESCRIPTOR_POSITIONS} is set. With {@link DomainSocketReadMode#FILE_DESCRIPTORS}, reads
 * deliver Netty's plain {@link FileDescriptor}s, which the receiver must close, and bytes are dropped.
 *
 * <p>Writes accept {@link ByteBuf}s, {@link FileRegion}s, {@link UnixMessage}s, whose descriptors need at least one
 * byte to travel with, and {@link FileDescriptor}s, which are sent with one zero byte. A message that the kernel
 * refuses ends the output: nothing written after it is sent. A message that {@code write} itself refuses never enters
 * the queue: its promise fails at once, and later messages are sent. {@code write} refuses messages of unsupported
 * types, messages with a closed descriptor or too many descriptors, and descriptors without bytes.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class UnixStreamChannel extends AbstractUnixConnection implements DomainSocketChannel {
    private final StreamReader reader = new StreamReader(this);
    private final StreamWriter writer = new StreamWriter(this);

    /**
     * Creates a channel with a new socket, which is not connected yet.
     *
     * @throws io.netty.channel.ChannelException if the process has reached its limit of descriptors
     */
    public UnixStreamChannel() {
        this(null, newSocket(SocketType.STREAM));
    }

    UnixStreamChannel(Channel parent, UnixSocket socket) {
        super(parent, SocketType.STREAM, socket);
    }

    /**
     * Creates a channel for an existing socket, connected or not.
     *
     * @param fd a SOCK_STREAM socket that is not listening; the channel takes ownership of it and makes it non-blocking
     *        and close-on-exec
     * @return the channel, which the caller must register
     * @throws io.netty.channel.ChannelException if it is anything else; the caller keeps its ownership then
     */
    public static UnixStreamChannel adopt(int fd) {
        return (UnixStreamChannel) UnixTransport.adopt(fd, SocketType.STREAM, false);
    }

    /**
     * Creates two channels that are connected to each other.
     *
     * @return two channels, which the caller must register
     * @throws io.netty.channel.ChannelException if the process has reached its limit of descriptors
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
    void write(ChannelOutboundBuffer in) throws Exception {
        writer.write(in);
    }

    /** Fails if a file is shorter than the region that was written. */
    void validateRegion(DefaultFileRegion region, long position) throws IOException {
        validateFileRegion(region, position);
    }
}
