package io.github.nettyunix.handler;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixStreamChannel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.ReferenceCountUtil;

import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * Lets in descriptors of some types only. It goes before whatever takes them:
 * <pre>{@code
 * channel.pipeline().addFirst(new FileDescriptorTypeHandler(UnixFileDescriptor.Type.MEMFD));
 * }</pre>
 *
 * <p>A message that brings any other is released, which closes all it has, and one {@link FileDescriptorRefusedException} is
 * raised for it. A stream channel closes then, since bytes are missing; the others go on with the next message. The pidfd of a
 * message's sender is not looked at: it comes from the kernel. Netty's plain {@link FileDescriptor}s, which a stream reads with
 * {@link io.netty.channel.unix.DomainSocketReadMode#FILE_DESCRIPTORS}, are treated alike.
 *
 * <p>One handler can serve many channels.
 */
@Sharable
public final class FileDescriptorTypeHandler extends ChannelInboundHandlerAdapter {
    private final Set<UnixFileDescriptor.Type> allowed = EnumSet.noneOf(UnixFileDescriptor.Type.class);

    /**
     * A handler.
     *
     * @param allowed the types that are let in; without any, no descriptor is
     */
    public FileDescriptorTypeHandler(UnixFileDescriptor.Type... allowed) {
        this.allowed.addAll(Arrays.asList(allowed));
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        IOException refusal = message instanceof UnixMessage unixMessage ? refusal(unixMessage)
                : message instanceof FileDescriptor fd ? refusal(fd) : null;
        if (refusal == null) {
            ctx.fireChannelRead(message);
            return;
        }
        ReferenceCountUtil.release(message);
        if (message instanceof FileDescriptor fd) {
            closeQuietly(fd);
        }
        ctx.fireExceptionCaught(refusal);
        if (ctx.channel() instanceof UnixStreamChannel) {
            ctx.close();
        }
    }

    private IOException refusal(UnixMessage message) {
        IOException refusal = null;
        for (int i = 0; refusal == null && i < message.fileDescriptors().size(); i++) {
            refusal = refusal(message.fileDescriptors().get(i));
        }
        return refusal;
    }

    /** Of Netty's own kind come those that a stream reads in Netty's own mode. */
    private IOException refusal(FileDescriptor fd) {
        try {
            UnixFileDescriptor.Type type;
            if (fd instanceof UnixFileDescriptor ours) {
                type = ours.type();
            } else {
                try (UnixFileDescriptor duplicate = UnixFileDescriptor.dup(fd)) {
                    type = duplicate.type();
                }
            }
            return allowed.contains(type) ? null
                    : new FileDescriptorRefusedException("a descriptor of type " + type + " came in, allowed are " + allowed);
        } catch (IOException e) {
            return e;
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
