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
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.internal.ObjectUtil;

import java.util.function.Predicate;

/**
 * Lets in those peers only whose credentials, as the kernel vouches for them, pass a test. It goes first in the pipeline:
 * <pre>{@code
 * channel.pipeline().addFirst(new PeerAuthorizationHandler(
 *         PeerAuthorizationHandler.sameUser().or(PeerAuthorizationHandler.uid(0))));
 * }</pre>
 *
 * <p>On a connection the peer is looked at once, {@linkplain UnixPeer#peerCredentials() when it connected}. If it passes, the
 * handler leaves the pipeline. If not, the handlers behind it get one {@link PeerRefusedException}, the channel closes, and
 * they see nothing else of it: not that it was active, not a byte, not that it ended. A server accepts its clients before it can
 * refuse them, so they see a connection that closes.
 *
 * <p>A datagram channel has no peer. There each message is looked at, for which {@link UnixSocketOption#SO_PASSCRED} has to
 * be set. One that does not pass, or has no credentials, is released, and a {@link PeerRefusedException} is raised; the channel
 * goes on. Messages do not tell their sender's supplementary groups.
 *
 * <p>Where the credentials cannot be had, nobody passes. One handler can serve many channels, if the test is thread-safe; it is
 * called on the channels' event loops.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SO_PEERCRED and SCM_CREDENTIALS
 */
@Sharable
public final class PeerAuthorizationHandler extends ChannelInboundHandlerAdapter {
    private static final AttributeKey<Boolean> REFUSED = AttributeKey.valueOf(PeerAuthorizationHandler.class, "refused");

    private final Predicate<? super UnixCredentials> test;

    /**
     * A handler.
     *
     * @param test whom to let in; if it throws, the peer is refused
     */
    public PeerAuthorizationHandler(Predicate<? super UnixCredentials> test) {
        this.test = ObjectUtil.checkNotNull(test, "test");
    }

    /**
     * Lets in a user.
     *
     * @param uid the user
     * @return the test
     */
    public static Predicate<UnixCredentials> uid(int uid) {
        return credentials -> credentials.uid() == uid;
    }

    /**
     * Lets in those whose effective group it is.
     *
     * @param gid the group
     * @return the test
     */
    public static Predicate<UnixCredentials> gid(int gid) {
        return credentials -> credentials.gid() == gid;
    }

    /**
     * Lets in the members of a group: it is their effective group or a supplementary one. Linux 4.13 and later tells the latter,
     * of peers, not with messages.
     *
     * @param gid the group
     * @return the test
     */
    public static Predicate<UnixCredentials> group(int gid) {
        return credentials -> credentials.gid() == gid || credentials.groups().contains(gid);
    }

    /**
     * Lets in the user that this process runs as.
     *
     * @return the test
     */
    public static Predicate<UnixCredentials> sameUser() {
        return uid(UnixCredentials.ofThisProcess().uid());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        if (!isDatagram(ctx) && ctx.channel().isActive()) {
            // Where channelActive was before. If it is still to come, so are the handlers that have to hear of a refusal.
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

    /** Asks once: whoever passes is not asked again, since the handler leaves. */
    private boolean authorizePeer(ChannelHandlerContext ctx) {
        Channel channel = ctx.channel();
        if (channel.hasAttr(REFUSED)) {
            return false;
        }
        UnixCredentials credentials = null;
        Throwable cause = null;
        try {
            if (!(channel instanceof UnixPeer)) {
                throw new UnsupportedOperationException(channel.getClass().getSimpleName() + " has no peer with credentials");
            }
            credentials = ((UnixPeer) channel).peerCredentials();
            if (test.test(credentials)) {
                ctx.pipeline().remove(this);
                return true;
            }
        } catch (Exception e) {
            cause = e;
        }
        channel.attr(REFUSED).set(true);
        ctx.fireExceptionCaught(refusal("peer", channel, credentials, cause));
        ctx.close();
        return false;
    }

    private boolean authorizeSender(ChannelHandlerContext ctx, Object message) {
        UnixCredentials credentials = message instanceof UnixMessage unixMessage ? unixMessage.credentials() : null;
        Throwable cause = null;
        try {
            if (credentials != null && test.test(credentials)) {
                return true;
            }
        } catch (RuntimeException e) {
            cause = e;
        }
        ctx.fireExceptionCaught(refusal("sender", ctx.channel(), credentials, cause));
        return false;
    }

    private static PeerRefusedException refusal(String who, Channel channel, UnixCredentials credentials, Throwable cause) {
        String known = credentials != null ? "process " + credentials.pid() + ", user " + credentials.uid() + ", group "
                + credentials.gid() : who.equals("peer") ? "it has no credentials"
                : "the message has no credentials, which SO_PASSCRED asks for";
        return new PeerRefusedException(who + " refused on " + channel.localAddress() + ": " + known, credentials, cause);
    }
}
