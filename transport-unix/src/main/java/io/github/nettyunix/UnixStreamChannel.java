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
 * A connection that carries bytes (SOCK_STREAM), and descriptors and credentials with them.
 *
 * <p>Read are {@link ByteBuf}s, or with {@link UnixSocketOption#RECEIVE_CONTROL_DATA} {@link UnixMessage}s: each is
 * what one read found. Its descriptors came with one of its bytes or an earlier one, never with a later one; which byte
 * it was is not known. With {@link DomainSocketReadMode#FILE_DESCRIPTORS} read are Netty's plain
 * {@link FileDescriptor}s, to be closed by the reader, and bytes are dropped.
 *
 * <p>Written are {@link ByteBuf}s, {@link FileRegion}s, {@link UnixMessage}s, whose descriptors need at least one byte
 * to travel with, and {@link FileDescriptor}s, which go with one zero byte. A message that the kernel refuses ends the
 * output: nothing behind it is sent. A message that {@code write} itself refuses, because its type is not supported, a
 * descriptor is closed already, there are too many descriptors, or there are no bytes for them to travel with, never
 * enters the queue: its promise fails at once, and what is written behind it is sent.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class UnixStreamChannel extends AbstractUnixConnection implements DomainSocketChannel {
    private final StreamReader reader = new StreamReader(this);
    private final StreamWriter writer = new StreamWriter(this);

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
     * @param fd a SOCK_STREAM socket that does not listen; the channel owns it and makes it non-blocking and
     *         close-on-exec
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
