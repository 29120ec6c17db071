package io.github.nettyunix.handler;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.ReferenceCountUtil;

import java.io.IOException;
import java.util.List;

/**
 * Refuses messages with descriptors that are not admitted. Such a message is released, which closes all of its
 * descriptors, and one exception is raised. A stream channel then closes, because bytes are missing; other channels
 * continue with the next message. Plain descriptors, which a stream delivers with
 * {@link DomainSocketReadMode#FILE_DESCRIPTORS}, are treated alike.
 */
abstract class FileDescriptorFilter extends ChannelInboundHandlerAdapter {
    /**
     * Checks the descriptors of a message.
     *
     * @param pidFd the pidfd of the message's sender, {@code null} if there is none
     * @return the reason for refusing the message; {@code null} if it is admitted
     */
    abstract IOException refusal(List<? extends FileDescriptor> fds, FileDescriptor pidFd);

    /** Returns what the next handler receives for a message that is not refused. */
    Object accepted(Object message) {
        return message;
    }

    /** Returns whether to close the channel after a refusal even though its messages are independent. */
    boolean isAbused() {
        return false;
    }

    @Override
    public final void channelRead(ChannelHandlerContext ctx, Object message) {
        IOException refusal = message instanceof UnixMessage unixMessage
                ? refusal(unixMessage.fileDescriptors(), unixMessage.pidFd())
                : message instanceof FileDescriptor fd ? refusal(List.of(fd), null) : null;
        if (refusal == null) {
            ctx.fireChannelRead(accepted(message));
            return;
        }
        int count = message instanceof UnixMessage unixMessage ? unixMessage.fileDescriptors().size() : 1;
        ChannelCounts.refused(ctx.channel(), RefusalException.typeOf(ctx.channel()), count, refusal.getMessage());
        ReferenceCountUtil.release(message);
        if (message instanceof FileDescriptor fd) {
            closeQuietly(fd);
        }
        ctx.fireExceptionCaught(refusal instanceof FileDescriptorRefusedException refused ? refused.at(ctx.channel())
                : refusal);
        if (ctx.channel() instanceof UnixStreamChannel || isAbused()) {
            ctx.close();
        }
    }

    private static void closeQuietly(FileDescriptor fd) {
        try {
            fd.close();
        } catch (IOException ignored) {
            // It is closed all the same.
        }
    }
}
