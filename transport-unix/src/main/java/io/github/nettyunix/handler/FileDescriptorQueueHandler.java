package io.github.nettyunix.handler;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import io.netty.util.internal.ObjectUtil;

import java.util.ArrayDeque;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * Separates descriptors from bytes. The handlers behind it, such as decoders, receive plain {@link ByteBuf}s, and take
 * the descriptors from this handler in the order in which they were sent. A decoder takes the descriptors of a message
 * when the message is complete. On a stream, they have arrived by then, with one of its bytes or earlier.
 * <pre>{@code
 * FileDescriptorQueueHandler fds = new FileDescriptorQueueHandler();
 * channel.pipeline().addLast(fds, new Decoder(fds));
 * }</pre>
 *
 * <p>The handler requires {@link UnixSocketOption#RECEIVE_CONTROL_DATA}. Other parts of a {@link UnixMessage}
 * (credentials, pidfd, label) are not passed on. {@link UnixDatagramPacket}s, whose sender would be lost, and messages
 * of other classes pass unchanged.
 *
 * <p>Queued descriptors are closed when the channel becomes inactive or the handler is removed. If a message would
 * exceed the limit of the queue, all descriptors are closed, a {@link FileDescriptorRefusedException} is raised, and
 * the channel closes, so that bytes are not processed without their descriptors.
 *
 * <p>The same happens if a descriptor stays in the queue longer than a time limit, which is 60 seconds by default.
 * Otherwise a peer could send its own end of the connection, leave the message incomplete and exit: the connection
 * would keep itself open forever. The time is checked once per such period, so that a descriptor may stay for up to
 * twice as long.
 *
 * <p>Each channel needs a handler of its own. All methods must be called on the channel's event loop.
 */
public final class FileDescriptorQueueHandler extends ChannelInboundHandlerAdapter {
    /** As many as one message can have. */
    private static final int DEFAULT_LIMIT = UnixMessage.MAX_FILE_DESCRIPTORS;
    private static final int DEFAULT_TIMEOUT_SECONDS = 60;

    private final Queue<UnixFileDescriptor> waiting = new ArrayDeque<>();
    private final int limit;
    private final long timeoutNanos;
    private boolean refused;
    private ChannelHandlerContext context;
    // The only one, while something waits.
    private Future<?> timer;
    // How many of those that wait did so when the timer started.
    private int overdue;

    /**
     * Creates a handler for up to 253 queued descriptors, as many as one message can have, with a time limit of 60
     * seconds.
     */
    public FileDescriptorQueueHandler() {
        this(DEFAULT_LIMIT);
    }

    /**
     * Creates a handler with a time limit of 60 seconds.
     *
     * @param limit the maximum number of queued descriptors
     * @throws IllegalArgumentException if the limit is not positive
     */
    public FileDescriptorQueueHandler(int limit) {
        this(limit, DEFAULT_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    /**
     * Creates a handler.
     *
     * @param limit the maximum number of queued descriptors
     * @param timeout how long descriptors may stay in the queue; 0 for as long as the channel is active
     * @param unit the unit of the timeout
     * @throws IllegalArgumentException if the limit is not positive, or the timeout negative
     */
    public FileDescriptorQueueHandler(int limit, long timeout, TimeUnit unit) {
        this.limit = ObjectUtil.checkPositive(limit, "limit");
        timeoutNanos = unit.toNanos(ObjectUtil.checkPositiveOrZero(timeout, "timeout"));
    }

    /**
     * Returns the number of queued descriptors.
     *
     * @return their number
     */
    public int size() {
        return waiting.size();
    }

    /**
     * Takes the next descriptor.
     *
     * @return the descriptor, which the caller must release; {@code null} if the queue is empty
     */
    public UnixFileDescriptor poll() {
        UnixFileDescriptor fd = waiting.poll();
        if (fd != null) {
            taken(1);
        }
        return fd;
    }

    /**
     * Takes the next descriptors.
     *
     * @param count the number of descriptors
     * @return the descriptors, which the caller must release, in the form that {@link UnixMessage#UnixMessage} accepts
     * @throws NoSuchElementException if there are fewer; then none is taken
     */
    public UnixFileDescriptor[] take(int count) {
        if (count > waiting.size()) {
            throw new NoSuchElementException(count + " descriptors are wanted, and " + waiting.size()
                    + " have arrived");
        }
        UnixFileDescriptor[] fds = new UnixFileDescriptor[count];
        for (int i = 0; i < count; i++) {
            fds[i] = waiting.remove();
        }
        taken(count);
        return fds;
    }

    private void taken(int count) {
        overdue = Math.max(overdue - count, 0);
        if (waiting.isEmpty()) {
            stopTimer();
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (refused) {
            if (message instanceof UnixMessage unixMessage) {
                ChannelCounts.refused(ctx.channel(), RefusalException.typeOf(ctx.channel()),
                        unixMessage.fileDescriptors().size(), "earlier ones were refused");
            }
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

    /** Descriptors that decoders take immediately need no timer. */
    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (!waiting.isEmpty() && timer == null && timeoutNanos > 0) {
            startTimer();
        }
        ctx.fireChannelReadComplete();
    }

    private void startTimer() {
        overdue = waiting.size();
        timer = context.executor().schedule(this::checkTime, timeoutNanos, TimeUnit.NANOSECONDS);
    }

    private void stopTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private void checkTime() {
        if (!context.executor().inEventLoop()) {
            // The channel was moved to another loop.
            context.executor().execute(this::checkTime);
        } else if (timer != null) {
            timer = null;
            if (overdue > 0) {
                refuse(context, waiting.size(), waiting.size() + " descriptors have waited on " + context.channel()
                        + ", some for " + TimeUnit.NANOSECONDS.toMillis(timeoutNanos) + " ms or longer");
            } else if (!waiting.isEmpty()) {
                startTimer();
            }
        }
    }

    private void refuse(ChannelHandlerContext ctx, int count, String why) {
        refused = true;
        ChannelCounts.refused(ctx.channel(), RefusalException.typeOf(ctx.channel()), count, why);
        closeAll();
        ctx.fireExceptionCaught(new FileDescriptorRefusedException(why).at(ctx.channel()));
        ctx.close();
    }

    /** Returns the bytes; {@code null} if there are too many descriptors. */
    private ByteBuf part(ChannelHandlerContext ctx, UnixMessage message) {
        try {
            int count = waiting.size() + message.fileDescriptors().size();
            if (count > limit) {
                refuse(ctx, count, count + " descriptors would wait on " + ctx.channel() + ", the limit is " + limit);
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
        closeUnclaimed(ctx);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        closeUnclaimed(ctx);
    }

    private void closeUnclaimed(ChannelHandlerContext ctx) {
        ChannelCounts.unclaimed(ctx.channel(), waiting.size());
        closeAll();
    }

    private void closeAll() {
        stopTimer();
        for (UnixFileDescriptor fd; (fd = waiting.poll()) != null;) {
            // One that others have released too often keeps no other one open.
            ReferenceCountUtil.safeRelease(fd);
        }
    }
}
