package io.github.nettyunix.handler;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.internal.ObjectUtil;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Limits how many descriptors a peer can make this process hold: those that have arrived at a channel and are still
 * open, wherever they are now, in a queue or in somebody's hands. Add it before the handlers that take them:
 * <pre>{@code
 * channel.pipeline().addFirst(new FileDescriptorLimitHandler(100));
 * }</pre>
 *
 * <p>A message that brings more than there is room for is released, which closes all it has, and one
 * {@link FileDescriptorRefusedException} is raised for it. A stream channel closes then, since bytes are missing; the
 * others go on with the next message. The pidfd of a message's sender counts too. A descriptor counts until the system
 * has closed it, after its last {@linkplain UnixFileDescriptor#release() release} for example, which takes a while
 * where it would {@linkplain UnixFileDescriptor#isClosing() block}, or
 * {@linkplain UnixFileDescriptor#detach() detached}, as those are that were adopted as channels. Netty's plain
 * {@link FileDescriptor}s, which a stream reads with
 * {@link io.netty.channel.unix.DomainSocketReadMode#FILE_DESCRIPTORS}, count until they are closed.
 *
 * <p>If more descriptors than the limit cannot be closed, because the peer has made them so that this blocks, the
 * channel is closed, whatever its type.
 *
 * <p>The handler remembers open descriptors until the channel becomes inactive: before that, the leak detector does not
 * see that one was forgotten. Each channel needs a handler of its own.
 */
public final class FileDescriptorLimitHandler extends FileDescriptorFilter {
    /** What has arrived. Those that were closed since are forgotten when there would be no room. */
    private final List<FileDescriptor> held = new ArrayList<>();
    private final int limit;

    /**
     * A handler.
     *
     * @param limit how many descriptors that have arrived at the channel can be open at a time
     */
    public FileDescriptorLimitHandler(int limit) {
        this.limit = ObjectUtil.checkPositive(limit, "limit");
    }

    @Override
    IOException refusal(List<? extends FileDescriptor> fds, FileDescriptor pidFd) {
        int count = fds.size() + (pidFd == null ? 0 : 1);
        if (held.size() + count > limit) {
            held.removeIf(FileDescriptorLimitHandler::isGone);
        }
        int before = held.size();
        boolean refused = before + count > limit && count > 0;
        if (!refused || fds.stream().anyMatch(UnixFileDescriptor.class::isInstance)) {
            // Those of a refused message count as well, until they are closed.
            held.addAll(fds);
        }
        if (!refused && pidFd != null) {
            held.add(pidFd);
        }
        return !refused ? null : new FileDescriptorRefusedException(count + " more came in, " + before
                + " that came before are still open, the limit is " + limit);
    }

    private static boolean isGone(FileDescriptor fd) {
        return !fd.isOpen() && !(fd instanceof UnixFileDescriptor ours && ours.isClosing());
    }

    /** A peer whose refused descriptors cannot be closed must not go on: each message would leave more of them open. */
    @Override
    boolean isAbused() {
        held.removeIf(FileDescriptorLimitHandler::isGone);
        return held.size() > limit;
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        held.clear();
        ctx.fireChannelInactive();
    }
}
