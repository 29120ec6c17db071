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
 * open, whether they are queued or in use. Add it before the handlers that take descriptors:
 * <pre>{@code
 * channel.pipeline().addFirst(new FileDescriptorLimitHandler(100));
 * }</pre>
 *
 * <p>A message that would exceed the limit is released, which closes all of its descriptors, and one
 * {@link FileDescriptorRefusedException} is raised. A stream channel then closes, because bytes are missing; other
 * channels continue with the next message. The pidfd of a message's sender counts as well. A descriptor counts until
 * the system has closed it, for example after its last {@linkplain UnixFileDescriptor#release() release}, which takes
 * longer if closing {@linkplain UnixFileDescriptor#isClosing() blocks}. It also stops counting when it is
 * {@linkplain UnixFileDescriptor#detach() detached}, as descriptors adopted as channels are. Netty's plain
 * {@link FileDescriptor}s, which a stream delivers with
 * {@link io.netty.channel.unix.DomainSocketReadMode#FILE_DESCRIPTORS}, count until they are closed.
 *
 * <p>If more descriptors than the limit allows cannot be closed, because the peer has made closing them block, the
 * channel is closed, whatever its type.
 *
 * <p>The handler refers to open descriptors until the channel becomes inactive; until then, the leak detector cannot
 * report them. Each channel needs a handler of its own.
 */
public final class FileDescriptorLimitHandler extends FileDescriptorFilter {
    /** What has arrived. Those that were closed since are forgotten when there would be no room. */
    private final List<FileDescriptor> held = new ArrayList<>();
    private final int limit;

    /**
     * Creates a handler.
     *
     * @param limit the maximum number of open descriptors that have arrived at the channel
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

    /**
     * A peer whose refused descriptors cannot be closed must not continue: each message would leave more of them open.
     */
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
