package io.github.nettyunix.frameworks.dbus;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * What dbus-java uses instead of a socket of the JDK: blocking reads and writes on a channel. The channel's event loop
 * reads only when there is nothing left here.
 */
final class BlockingSocket extends SocketChannel {
    /** The end of what can be read. */
    private static final UnixMessage END = new UnixMessage(Unpooled.EMPTY_BUFFER);

    private final UnixStreamChannel channel;
    private final Input input;
    private final Object readLock = new Object();
    private final Object writeLock = new Object();
    // What is being read; null if everything was.
    private UnixMessage current;
    private List<UnixFileDescriptor> received = new ArrayList<>();
    private List<UnixFileDescriptor> unsent = new ArrayList<>();

    /** The handler of a socket's channel. */
    static final class Input extends ChannelInboundHandlerAdapter {
        private final BlockingQueue<UnixMessage> messages = new LinkedBlockingQueue<>();
        private volatile Throwable failure;

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            ctx.channel().config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
            // The descriptors of a message must not be taken for those of the one before it.
            ctx.channel().config().setOption(UnixSocketOption.EXACT_DESCRIPTOR_POSITIONS, true);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            messages.add((UnixMessage) message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            failure = cause;
            ctx.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            messages.add(END);
        }
    }

    BlockingSocket(UnixStreamChannel channel, Input input) {
        super(SelectorProvider.provider());
        this.channel = channel;
        this.input = input;
    }

    UnixPeer peer() {
        return channel;
    }

    /** Takes the descriptors that have arrived with the bytes that were read. */
    List<UnixFileDescriptor> takeReceived() {
        synchronized (readLock) {
            List<UnixFileDescriptor> fds = received;
            received = new ArrayList<>();
            return fds;
        }
    }

    /** Gives descriptors away, which are sent with the bytes that are written next. */
    void sendWithNextBytes(List<UnixFileDescriptor> fds) {
        synchronized (writeLock) {
            unsent.addAll(fds);
        }
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        synchronized (readLock) {
            if (!isOpen()) {
                throw new ClosedChannelException();
            }
            if (current == null) {
                current = next();
                for (UnixFileDescriptor fd : current.fileDescriptors()) {
                    received.add(fd.retain());
                }
            }
            if (current == END) {
                if (input.failure != null) {
                    throw new IOException(input.failure.getMessage(), input.failure);
                }
                return -1;
            }
            ByteBuf bytes = current.content();
            int count = Math.min(bytes.readableBytes(), target.remaining());
            int limit = target.limit();
            bytes.readBytes(target.limit(target.position() + count));
            target.limit(limit);
            if (!bytes.isReadable()) {
                current.release();
                current = null;
            }
            return count;
        }
    }

    private UnixMessage next() throws IOException {
        UnixMessage message = input.messages.poll();
        if (message != null) {
            return message;
        }
        channel.read();
        try {
            return input.messages.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while reading", e);
        }
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        synchronized (writeLock) {
            int count = source.remaining();
            if (count == 0) {
                return 0;
            }
            ByteBuf bytes = Unpooled.copiedBuffer(source);
            source.position(source.limit());
            ChannelFuture written = channel.writeAndFlush(unsent.isEmpty() ? bytes : new UnixMessage(bytes, unsent));
            unsent = new ArrayList<>();
            if (!written.awaitUninterruptibly().isSuccess()) {
                throw new IOException(written.cause().getMessage(), written.cause());
            }
            return count;
        }
    }

    @Override
    protected void implCloseSelectableChannel() {
        // Threads that write fail, and one that reads comes to the end. The locks are theirs until then.
        channel.close().awaitUninterruptibly();
        input.messages.add(END);
        synchronized (readLock) {
            for (UnixMessage message = current; message != null; message = input.messages.poll()) {
                if (message != END) {
                    message.release();
                }
            }
            current = END;
            takeReceived().forEach(UnixFileDescriptor::release);
        }
        synchronized (writeLock) {
            unsent.forEach(UnixFileDescriptor::release);
            unsent.clear();
        }
    }

    @Override
    protected void implConfigureBlocking(boolean block) {
        if (!block) {
            throw new UnsupportedOperationException("this socket blocks");
        }
    }

    @Override
    public boolean isConnected() {
        return channel.isActive();
    }

    @Override
    public boolean isConnectionPending() {
        return false;
    }

    @Override
    public SocketAddress getLocalAddress() {
        return channel.localAddress();
    }

    @Override
    public SocketAddress getRemoteAddress() {
        return channel.remoteAddress();
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public SocketChannel bind(SocketAddress local) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean connect(SocketAddress remote) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean finishConnect() {
        throw new UnsupportedOperationException();
    }

    @Override
    public SocketChannel shutdownInput() {
        throw new UnsupportedOperationException();
    }

    @Override
    public SocketChannel shutdownOutput() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Socket socket() {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> SocketChannel setOption(SocketOption<T> option, T value) {
        throw new UnsupportedOperationException();
    }

    @Override
    public <T> T getOption(SocketOption<T> option) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return Set.of();
    }
}
