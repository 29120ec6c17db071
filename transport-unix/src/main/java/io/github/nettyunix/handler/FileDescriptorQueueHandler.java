package io.github.nettyunix.handler;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
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
 * Parts bytes and descriptors: the handlers behind it, decoders for example, get plain {@link ByteBuf}s, and take the
 * descriptors from here, in the order in which they were sent. A decoder takes those of a message when the message is
 * complete: on a stream they have arrived by then, with one of its bytes or earlier.
 * <pre>{@code
 * FileDescriptorQueueHandler fds = new FileDescriptorQueueHandler();
 * channel.pipeline().addLast(fds, new Decoder(fds));
 * }</pre>
 *
 * <p>It needs {@link UnixSocketOption#RECEIVE_CONTROL_DATA}. What else a {@link UnixMessage} has (credentials, pidfd,
 * label) is not passed on; {@link UnixDatagramPacket}s, which have a sender that would be lost, and messages of other
 * classes pass unchanged.
 *
 * <p>Descriptors that wait here are closed when the channel has become inactive, or the handler is removed. If more
 * would have to wait than its limit, all are closed, {@link FileDescriptorRefusedException} is raised, and so that
 * bytes do not go on without their descriptors, the channel closes.
 *
 * <p>Descriptors that wait for longer than a time limit, 60 seconds by default, are closed and treated alike. Otherwise
 * a peer could send its own end of the connection, never complete the message, and go: the connection would hold itself
 * open for ever. The time is checked once per such period, so that a descriptor may wait for up to twice as long.
 *
 * <p>Each channel needs one of its own. All methods belong to the channel's event loop.
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

    /** A handler where up to 253 descriptors can wait, as many as one message can have, for 60 seconds. */
    public FileDescriptorQueueHandler() {
        this(DEFAULT_LIMIT);
    }

    /**
     * A handler where descriptors can wait for 60 seconds.
     *
     * @param limit how many descriptors can wait until they are taken
     * @throws IllegalArgumentException if the limit is not positive
     */
    public FileDescriptorQueueHandler(int limit) {
        this(limit, DEFAULT_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    /**
     * A handler.
     *
     * @param limit how many descriptors can wait until they are taken
     * @param timeout how long they can wait; 0 for as long as the channel is active
     * @param unit the unit of the timeout
     * @throws IllegalArgumentException if the limit is not positive, or the timeout negative
     */
    public FileDescriptorQueueHandler(int limit, long timeout, TimeUnit unit) {
        this.limit = ObjectUtil.checkPositive(limit, "limit");
        timeoutNanos = unit.toNanos(ObjectUtil.checkPositiveOrZero(timeout, "timeout"));
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
        UnixFileDescriptor fd = waiting.poll();
        if (fd != null) {
            taken(1);
        }
        return fd;
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

    /** What decoders take at once needs no timer. */
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
                refuse(context, waiting.size() + " descriptors have waited on " + context.channel() + ", some for "
                        + TimeUnit.NANOSECONDS.toMillis(timeoutNanos) + " ms or longer");
            } else if (!waiting.isEmpty()) {
                startTimer();
            }
        }
    }

    private void refuse(ChannelHandlerContext ctx, String why) {
        refused = true;
        closeAll();
        ctx.fireExceptionCaught(new FileDescriptorRefusedException(why).at(ctx.channel()));
        ctx.close();
    }

    /** The bytes; {@code null} if there are too many descriptors. */
    private ByteBuf part(ChannelHandlerContext ctx, UnixMessage message) {
        try {
            int count = waiting.size() + message.fileDescriptors().size();
            if (count > limit) {
                refuse(ctx, count + " descriptors would wait on " + ctx.channel() + ", the limit is " + limit);
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
        stopTimer();
        for (UnixFileDescriptor fd; (fd = waiting.poll()) != null;) {
            // One that others have released too often keeps no other one open.
            ReferenceCountUtil.safeRelease(fd);
        }
    }
}
