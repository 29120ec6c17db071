package io.github.nettyunix.internal.write;

import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.UnixSocketAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCountUtil;

/**
 * A message in the queue of a datagram channel, with its recipient and its outcome. It outlives the message, which is
 * released as soon as the kernel has accepted it, because Netty's queue can remove only its head.
 */
public final class OutboundDatagram implements ByteBufHolder {
    /** The next one in a {@link DatagramChain}. */
    OutboundDatagram next;
    /** The time when it began to wait for its recipient; 0 if it never did. */
    long waitingSince;

    private Object message;
    private UnixSocketAddress recipient;
    private boolean done;
    private Throwable failure;

    /** @param recipient {@code null} for the peer that the channel is connected to */
    OutboundDatagram init(Object message, UnixSocketAddress recipient) {
        this.message = message;
        this.recipient = recipient;
        next = null;
        waitingSince = 0;
        done = false;
        failure = null;
        return this;
    }

    /** The message; {@code null} once it has been released. */
    Object message() {
        return message;
    }

    UnixSocketAddress recipient() {
        return recipient;
    }

    /** Whether Netty has released it: the write was cancelled, or the channel was closed. */
    boolean isDropped() {
        return message == null && !done;
    }

    /** Whether it was sent or has failed. */
    boolean isDone() {
        return done;
    }

    /** Why it was not sent; {@code null} if it was, or was dropped as {@link DatagramQueueFull#DROP} says. */
    Throwable failure() {
        return failure;
    }

    /** Records the outcome and releases the message. Only the promise remains to be completed. */
    void complete(Throwable cause) {
        done = true;
        failure = cause;
        release();
    }

    /** Used by estimators of message sizes. */
    @Override
    public ByteBuf content() {
        return message instanceof ByteBuf buffer ? buffer
                : message instanceof ByteBufHolder holder ? holder.content() : Unpooled.EMPTY_BUFFER;
    }

    @Override
    public int refCnt() {
        return message == null ? 0 : 1;
    }

    @Override
    public boolean release() {
        Object released = message;
        message = null;
        ReferenceCountUtil.safeRelease(released);
        return true;
    }

    @Override
    public boolean release(int decrement) {
        return release();
    }

    @Override
    public OutboundDatagram touch() {
        ReferenceCountUtil.touch(message);
        return this;
    }

    @Override
    public OutboundDatagram touch(Object hint) {
        ReferenceCountUtil.touch(message, hint);
        return this;
    }

    @Override
    public ByteBufHolder retain() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ByteBufHolder retain(int increment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ByteBufHolder copy() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ByteBufHolder duplicate() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ByteBufHolder retainedDuplicate() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ByteBufHolder replace(ByteBuf content) {
        throw new UnsupportedOperationException();
    }
}
