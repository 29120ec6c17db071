package io.github.nettyunix.handler;

import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixStreamChannel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.ReferenceCountUtil;

import java.io.IOException;
import java.util.List;

/**
 * Keeps descriptors out that are not wanted: a message that brings any is released, which closes all it has, and one
 * exception is raised for it. A stream channel closes then, since bytes are missing; the others go on with the next
 * message. Plain descriptors, which a stream reads with {@link DomainSocketReadMode#FILE_DESCRIPTORS}, are treated
 * alike.
 */
abstract class FileDescriptorFilter extends ChannelInboundHandlerAdapter {
    /**
     * Looks at what a message brings.
     *
     * @param pidFd of the message's sender, {@code null} if it is not known
     * @return why the message is refused; {@code null} if it is not
     */
    abstract IOException refusal(List<? extends FileDescriptor> fds, FileDescriptor pidFd);

    /** Whether the channel is to be closed after a refusal, though its messages do not depend on one another. */
    boolean isAbused() {
        return false;
    }

    @Override
    public final void channelRead(ChannelHandlerContext ctx, Object message) {
        IOException refusal = message instanceof UnixMessage unixMessage
                ? refusal(unixMessage.fileDescriptors(), unixMessage.pidFd())
                : message instanceof FileDescriptor fd ? refusal(List.of(fd), null) : null;
        if (refusal == null) {
            ctx.fireChannelRead(message);
            return;
        }
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
