package io.github.nettyunix.handler;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.internal.ObjectUtil;

import java.util.ArrayDeque;
import java.util.NoSuchElementException;
import java.util.Queue;

/**
 * Parts bytes and descriptors: the handlers behind it, decoders for example, get plain {@link ByteBuf}s, and take the
 * descriptors from here, in the order in which they were sent. A decoder takes those of a message when the message is
 * complete: on a stream they have arrived by then, with one of its bytes or earlier.
 * <pre>{@code
 * FileDescriptorQueueHandler fds = new FileDescriptorQueueHandler();
 * channel.pipeline().addLast(fds, new Decoder(fds));
 * }</pre>
 *
 * <p>It needs {@link UnixSocketOption#RECEIVE_CONTROL_DATA}. What else a {@link UnixMessage} has (credentials, pidfd, label) goes
 * no further; {@link UnixDatagramPacket}s, which have a sender that would be lost, and messages of other classes pass unchanged.
 *
 * <p>Descriptors that wait here are closed when the channel has become inactive, or the handler is removed. If more would have to
 * wait than its limit, all are closed, {@link FileDescriptorRefusedException} is raised, and so that bytes do not go on without
 * their descriptors, the channel closes.
 *
 * <p>Each channel needs one of its own. All methods belong to the channel's event loop.
 */
public final class FileDescriptorQueueHandler extends ChannelInboundHandlerAdapter {
    /** As many as one message can have. */
    private static final int DEFAULT_LIMIT = UnixMessage.MAX_FILE_DESCRIPTORS;

    private final Queue<UnixFileDescriptor> waiting = new ArrayDeque<>();
    private final int limit;
    private boolean refused;

    /** A handler where up to 253 descriptors can wait, as many as one message can have. */
    public FileDescriptorQueueHandler() {
        this(DEFAULT_LIMIT);
    }

    /**
     * A handler.
     *
     * @param limit how many descriptors can wait until they are taken
     */
    public FileDescriptorQueueHandler(int limit) {
        this.limit = ObjectUtil.checkPositive(limit, "limit");
    }

    /**
     * How many descriptors wait.
     *
     * @return their number
     */
    public int size() {
        return waiting.size();
    }

    /**
     * Takes the next descriptor.
     *
     * @return the descriptor, which belongs to the caller; {@code null} if none waits
     */
    public UnixFileDescriptor poll() {
        return waiting.poll();
    }

    /**
     * Takes the next descriptors.
     *
     * @param count how many
     * @return the descriptors, which belong to the caller, as {@link UnixMessage#UnixMessage} takes them
     * @throws NoSuchElementException if fewer wait; then none is taken
     */
    public UnixFileDescriptor[] take(int count) {
        if (count > waiting.size()) {
            throw new NoSuchElementException(count + " descriptors are wanted, and " + waiting.size() + " have arrived");
        }
        UnixFileDescriptor[] fds = new UnixFileDescriptor[count];
        for (int i = 0; i < count; i++) {
            fds[i] = waiting.remove();
        }
        return fds;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (refused) {
            ReferenceCountUtil.release(message);
        } else if (message instanceof UnixMessage unixMessage && !(message instanceof UnixDatagramPacket)) {
            ByteBuf content = part(ctx, unixMessage);
            if (content != null) {
                ctx.fireChannelRead(content);
            }
        } else {
            ctx.fireChannelRead(message);
        }
    }

    /** The bytes; {@code null} if there are too many descriptors. */
    private ByteBuf part(ChannelHandlerContext ctx, UnixMessage message) {
        try {
            int count = waiting.size() + message.fileDescriptors().size();
            if (count > limit) {
                refused = true;
                closeAll();
                ctx.fireExceptionCaught(new FileDescriptorRefusedException(count + " descriptors would wait on "
                        + ctx.channel() + ", the limit is " + limit));
                ctx.close();
                return null;
            }
            for (UnixFileDescriptor fd : message.fileDescriptors()) {
                waiting.add(fd.retain());
            }
            return message.content().retain();
        } finally {
            message.release();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        // Decoders may still take some for their last message.
        ctx.fireChannelInactive();
        closeAll();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        closeAll();
    }

    private void closeAll() {
        for (UnixFileDescriptor fd; (fd = waiting.poll()) != null;) {
            // One that others have released too often keeps no other one open.
            ReferenceCountUtil.safeRelease(fd);
        }
    }
}
