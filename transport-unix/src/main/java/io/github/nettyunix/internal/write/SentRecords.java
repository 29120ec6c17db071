package io.github.nettyunix.internal.write;

import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.internal.socket.Operation;
import io.netty.channel.ChannelOutboundBuffer;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/**
 * What follows once the peer can receive records at the head of the queue, or the kernel has refused the one at the
 * head.
 */
public final class SentRecords {
    /** In the place of an errno: one of the message's descriptors is closed. */
    public static final int CLOSED_DESCRIPTOR = -1;

    private static final long RETRY_MILLIS = 10;

    private final ChannelCore core;
    private final WriteSchedule schedule;
    private ChannelOutboundBuffer queue;
    // The records whose promises are not completed yet.
    private int count;

    public SentRecords(ChannelCore core, WriteSchedule schedule) {
        this.core = core;
        this.schedule = schedule;
    }

    /** Completes the promises of so many records. */
    public void complete(ChannelOutboundBuffer in, int sent) {
        queue = in;
        count = sent;
        complete();
    }

    /**
     * Completes the promises that are left. Listeners of the first may close the channel, or its output: this is called
     * again then, before the rest of the queue fails.
     */
    public void complete() {
        while (count > 0) {
            count--;
            OutboundMessages.removeCancelled(queue);
            SentDescriptors.keep(core.channel(), queue.current());
            queue.remove();
        }
    }

    /**
     * Handles a record at the head that the kernel did not accept.
     *
     * @return whether those after it can be sent now
     * @throws IOException if the connection is lost
     */
    public boolean continueAfter(int errno, ChannelOutboundBuffer in) throws IOException {
        if (errno == Errno.EAGAIN) {
            schedule.awaitWritable();
            return false;
        }
        if (Errno.isTransient(errno)) {
            schedule.retryAfter(RETRY_MILLIS, TimeUnit.MILLISECONDS);
            return false;
        }
        if (errno == Errno.EPIPE || errno == Errno.ECONNRESET || errno == Errno.ENOTCONN) {
            throw core.newException(Operation.WRITE, errno, null);
        }
        OutboundMessages.removeCancelled(in);
        Object message = in.current();
        if (message != null) {
            in.remove(errno == CLOSED_DESCRIPTOR ? OutboundMessages.newClosedDescriptor(core, message)
                    : core.newException(Operation.WRITE, errno,
                            errno == Errno.EMSGSIZE ? OutboundMessages.sizeLimit(core, message) : null));
        }
        return true;
    }
}
