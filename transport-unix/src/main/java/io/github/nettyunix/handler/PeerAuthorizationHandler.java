package io.github.nettyunix.handler;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixSocketOption;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.unix.DomainDatagramChannel;
import io.netty.channel.unix.UnixChannel;
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.internal.ObjectUtil;

import java.util.function.Predicate;

/**
 * Admits only peers whose credentials, as the kernel vouches for them, pass a test. Add it first in the pipeline:
 * <pre>{@code
 * channel.pipeline().addFirst(new PeerAuthorizationHandler(
 *         PeerAuthorizationHandler.sameUser().or(PeerAuthorizationHandler.uid(0))));
 * }</pre>
 *
 * <p>On a connection the peer is checked once, with its credentials
 * {@linkplain UnixPeer#peerCredentials() at the time it connected}. If it passes, the handler leaves the pipeline. If
 * not, the handlers behind it get one {@link PeerRefusedException}, the channel closes, and they see nothing else of
 * it: not that it was active, not a byte, not that it ended. A server accepts its clients before it can refuse them, so
 * they see a connection that closes.
 *
 * <p>A datagram channel has no peer. There each message is checked, for which {@link UnixSocketOption#SO_PASSCRED} must
 * be set. One that does not pass, or has no credentials, is released, and a {@link PeerRefusedException} is raised; the
 * channel goes on. Messages do not carry their sender's supplementary groups.
 *
 * <p>A refusal that no handler of the pipeline handles is logged as one line without a stack trace, and after that at
 * most once in ten seconds in the whole process, with the number of refusals in between: a peer that keeps coming back
 * cannot fill the log. This is done by a handler that is added as the last one when a channel of this transport refuses
 * for the first time.
 *
 * <p>Where the credentials are not available, or the test throws anything, nobody passes. One handler can serve many
 * channels, if the test is thread-safe; it is called on the channels' event loops.
 *
 * <p>On Linux, {@linkplain UnixCredentials#isUserUnknown() one uid} and
 * {@linkplain UnixCredentials#isGroupUnknown() one gid}, mostly 65534, are shown for everybody whom this process's user
 * namespace does not map. {@link #sameUser()} never lets them in, even if this process runs as that user; {@link #uid},
 * {@link #gid} and {@link #group} do if they are given that very number.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SO_PEERCRED and SCM_CREDENTIALS
 */
@Sharable
public final class PeerAuthorizationHandler extends ChannelInboundHandlerAdapter {
    private static final AttributeKey<Boolean> REFUSED =
            AttributeKey.valueOf(PeerAuthorizationHandler.class, "refused");

    private final Predicate<? super UnixCredentials> test;

    /**
     * A handler.
     *
     * @param test which peers to admit; if it throws, the peer is refused
     */
    public PeerAuthorizationHandler(Predicate<? super UnixCredentials> test) {
        this.test = ObjectUtil.checkNotNull(test, "test");
    }

    /**
     * Admits a user. The overflow uid, mostly 65534, admits every user that this process's user namespace does not map,
     * and messages that were sent before {@code SO_PASSCRED} was set.
     *
     * @param uid the user
     * @return the test
     */
    public static Predicate<UnixCredentials> uid(int uid) {
        return credentials -> credentials.uid() == uid;
    }

    /**
     * Admits the processes whose effective group it is. The overflow gid admits every group that is not mapped here, as
     * with {@link #uid}.
     *
     * @param gid the group
     * @return the test
     */
    public static Predicate<UnixCredentials> gid(int gid) {
        return credentials -> credentials.gid() == gid;
    }

    /**
     * Admits the members of a group: it is their effective group or a supplementary one. The latter are known on Linux
     * 4.13 and later, of peers and not of messages. The overflow gid admits every group that is not mapped here, as
     * with {@link #uid}.
     *
     * @param gid the group
     * @return the test
     */
    public static Predicate<UnixCredentials> group(int gid) {
        return credentials -> credentials.gid() == gid || credentials.groups().contains(gid);
    }

    /**
     * Admits the user that this process runs as. Where that is the overflow uid, because this process's user namespace
     * does not map its user or because it runs as {@code nobody}, the number does not distinguish that user from all
     * others that are not mapped, and nobody is admitted; {@link #uid} with that number admits them all.
     *
     * @return the test
     */
    public static Predicate<UnixCredentials> sameUser() {
        return uid(UnixCredentials.ofThisProcess().uid()).and(credentials -> !credentials.isUserUnknown());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        if (!isDatagram(ctx) && ctx.channel().isActive()) {
            // Where channelActive was before. If it is still to come, so are the handlers that have to hear of a
            // refusal.
            ctx.executor().execute(() -> {
                if (!ctx.isRemoved()) {
                    authorizePeer(ctx);
                }
            });
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        if (isDatagram(ctx) || authorizePeer(ctx)) {
            ctx.fireChannelActive();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (isDatagram(ctx) ? authorizeSender(ctx, message) : authorizePeer(ctx)) {
            ctx.fireChannelRead(message);
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (isDatagram(ctx)) {
            ctx.fireChannelReadComplete();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (isDatagram(ctx)) {
            ctx.fireChannelInactive();
        }
    }

    private static boolean isDatagram(ChannelHandlerContext ctx) {
        return ctx.channel() instanceof DomainDatagramChannel;
    }

    /** Checks once: a peer that passes is not checked again, since the handler leaves. */
    private boolean authorizePeer(ChannelHandlerContext ctx) {
        Channel channel = ctx.channel();
        if (channel.hasAttr(REFUSED)) {
            return false;
        }
        UnixCredentials credentials = null;
        Throwable cause = null;
        try {
            if (!(channel instanceof UnixPeer)) {
                throw new UnsupportedOperationException(channel.getClass().getSimpleName()
                        + " has no peer with credentials");
            }
            credentials = ((UnixPeer) channel).peerCredentials();
            if (test.test(credentials)) {
                ctx.pipeline().remove(this);
                return true;
            }
        } catch (Throwable t) {
            cause = t;
        }
        channel.attr(REFUSED).set(true);
        try {
            report(ctx, "peer", credentials, cause);
        } finally {
            ctx.close();
        }
        return false;
    }

    private boolean authorizeSender(ChannelHandlerContext ctx, Object message) {
        UnixCredentials credentials = message instanceof UnixMessage unixMessage ? unixMessage.credentials() : null;
        Throwable cause = null;
        try {
            if (credentials != null && test.test(credentials)) {
                return true;
            }
        } catch (Throwable t) {
            cause = t;
        }
        report(ctx, "sender", credentials, cause);
        return false;
    }

    private static void report(ChannelHandlerContext ctx, String who, UnixCredentials credentials, Throwable cause) {
        Channel channel = ctx.channel();
        // Other channels, such as Netty's for tests, have tails of their own.
        if (channel instanceof UnixChannel && ctx.pipeline().get(RefusalLog.class) == null) {
            ctx.pipeline().addLast(RefusalLog.INSTANCE);
        }
        String known = credentials != null ? "the " + who + " is process " + credentials.pid() + ", user "
                + credentials.uid()
                + ", group " + credentials.gid() : who.equals("peer") ? "the peer has no credentials"
                : "the message has no credentials; SO_PASSCRED asks for them";
        ctx.fireExceptionCaught(new PeerRefusedException(FileDescriptorRefusedException.typeOf(channel),
                channel.localAddress(), known, credentials, cause));
    }
}
