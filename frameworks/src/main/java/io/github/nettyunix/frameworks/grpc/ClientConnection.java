package io.github.nettyunix.frameworks.grpc;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.grpc.Attributes;
import io.grpc.Grpc;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;

import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

/**
 * A client's connection. It sends descriptors with the next bytes that gRPC writes, which are those of the call's
 * headers or earlier ones.
 */
final class ClientConnection extends ChannelOutboundHandlerAdapter {
    // By the address that gRPC shows of each connection, which is an object of its own. Guarded by itself.
    private static final Map<SocketAddress, ClientConnection> OPEN = Collections.synchronizedMap(
            new IdentityHashMap<>());

    // Calls are made on other threads than the connection's. Guarded by itself, as are the two below.
    private final Queue<UnixFileDescriptor> unsent = new ArrayDeque<>();
    private long next;
    private boolean closed;
    private SocketAddress address;

    /** Returns the connection with these attributes; {@code null} if it is not one of {@link UnixGrpc}. */
    static ClientConnection of(Attributes attributes) {
        return OPEN.get(attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
    }

    @Override
    public void connect(ChannelHandlerContext ctx, SocketAddress remote, SocketAddress local, ChannelPromise promise) {
        address = remote instanceof UnixSocketAddress unix ? UnixSocketAddress.ofBytes(unix.bytes()) : remote;
        OPEN.put(address, this);
        ctx.connect(address, local, promise);
    }

    /** Sends descriptors, which stay the caller's. */
    DescriptorRange send(List<UnixFileDescriptor> fds) {
        synchronized (unsent) {
            DescriptorRange range = new DescriptorRange(next, fds.size());
            next += fds.size();
            if (!closed) {
                for (UnixFileDescriptor fd : fds) {
                    unsent.add(fd.retain());
                }
            }
            return range;
        }
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (!(message instanceof ByteBuf bytes) || !bytes.isReadable()) {
            ctx.write(message, promise);
            return;
        }
        List<UnixFileDescriptor> fds = nextUnsent();
        // One message has room for a limited number, and each needs a byte of its own.
        while (fds.size() == UnixMessage.MAX_FILE_DESCRIPTORS && bytes.readableBytes() > 1) {
            ctx.write(new UnixMessage(bytes.readRetainedSlice(1), fds));
            fds = nextUnsent();
        }
        ctx.write(fds.isEmpty() ? bytes : new UnixMessage(bytes, fds), promise);
    }

    private List<UnixFileDescriptor> nextUnsent() {
        synchronized (unsent) {
            if (unsent.isEmpty()) {
                return List.of();
            }
            List<UnixFileDescriptor> fds = new ArrayList<>();
            while (!unsent.isEmpty() && fds.size() < UnixMessage.MAX_FILE_DESCRIPTORS) {
                fds.add(unsent.remove());
            }
            return fds;
        }
    }

    /** The channel has closed. */
    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        OPEN.remove(address);
        synchronized (unsent) {
            closed = true;
            for (UnixFileDescriptor fd; (fd = unsent.poll()) != null;) {
                ReferenceCountUtil.safeRelease(fd);
            }
        }
    }
}
