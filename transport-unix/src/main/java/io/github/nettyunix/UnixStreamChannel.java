package io.github.nettyunix;

import io.github.nettyunix.internal.NativeTransport;
import io.github.nettyunix.internal.SocketOptions;
import io.github.nettyunix.internal.endpoint.AdoptedSocket;
import io.github.nettyunix.internal.read.ChannelReader;
import io.github.nettyunix.internal.read.StreamReader;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.github.nettyunix.internal.write.StreamWriter;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.FileRegion;
import io.netty.channel.unix.DomainSocketChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;

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
    private final StreamReader reader = new StreamReader(core(), readLoop);
    private final StreamWriter writer = new StreamWriter(core(), writeSchedule);

    /**
     * Creates a channel with a new socket, which is not connected yet.
     *
     * @throws io.netty.channel.ChannelException if the process has reached its limit of descriptors
     */
    public UnixStreamChannel() {
        this(null, NativeTransport.newSocket(SocketType.STREAM));
    }

    UnixStreamChannel(Channel parent, UnixSocket socket) {
        super(parent, SocketType.STREAM, SocketOptions.STREAM, socket, null);
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
        return adopt(AdoptedSocket.of(fd, SocketType.STREAM, false), socket -> new UnixStreamChannel(null, socket));
    }

    /**
     * Creates two channels that are connected to each other.
     *
     * @return two channels, which the caller must register
     * @throws io.netty.channel.ChannelException if the process has reached its limit of descriptors
     */
    public static List<UnixStreamChannel> pair() {
        return pair(SocketType.STREAM, socket -> new UnixStreamChannel(null, socket));
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
