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
import io.netty.util.internal.logging.InternalLoggerFactory;

import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Admits only peers whose credentials, as reported by the kernel, satisfy a predicate. Add it first in the pipeline:
 * <pre>{@code
 * channel.pipeline().addFirst(new PeerAuthorizationHandler(
 *         PeerAuthorizationHandler.sameUser().or(PeerAuthorizationHandler.uid(0))));
 * }</pre>
 *
 * <p>On a connection, the peer is checked once, with the credentials
 * {@linkplain UnixPeer#peerCredentials() that it had when it connected}. If it passes, the handler removes itself from
 * the pipeline. Otherwise the handlers behind it receive one {@link PeerRefusedException} and the channel closes. They
 * see nothing else of it: neither that it was active, nor any bytes, nor that it closed. A server accepts clients
 * before it can refuse them, so a refused client sees a connection that closes.
 *
 * <p>On a datagram channel, which has no peer, each message is checked. This requires
 * {@link UnixSocketOption#SO_PASSCRED}. A message that does not pass or has no credentials is released, and a
 * {@link PeerRefusedException} is raised; the channel continues. Messages do not carry their sender's supplementary
 * groups.
 *
 * <p>If no handler in the pipeline handles a refusal, it is logged as one line without a stack trace. The process logs
 * at most one such line every ten seconds, with the number of refusals in between, so that a peer that reconnects
 * repeatedly cannot fill the log. A handler for this purpose is added to the end of the pipeline when a channel of this
 * transport first refuses a peer.
 *
 * <p>If the credentials are not available, or the predicate throws anything, nobody passes. A handler can be shared by
 * channels if its predicate is thread-safe; the predicate is called on the channels' event loops.
 *
 * <p>On Linux, {@linkplain UnixCredentials#isUserUnknown() one uid} and
 * {@linkplain UnixCredentials#isGroupUnknown() one gid}, usually 65534, stand for every user and group that this
 * process's user namespace does not map. {@link #sameUser()} never admits that user, even if this process runs as it.
 * {@link #uid}, {@link #gid} and {@link #group} admit it if they are given that number.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>, SO_PEERCRED and SCM_CREDENTIALS
 */
@Sharable
public final class PeerAuthorizationHandler extends ChannelInboundHandlerAdapter {
    private static final AttributeKey<Boolean> REFUSED =
            AttributeKey.valueOf(PeerAuthorizationHandler.class, "refused");

    static final RefusalLog REFUSALS = new RefusalLog(
            InternalLoggerFactory.getInstance(PeerAuthorizationHandler.class), TimeUnit.SECONDS.toNanos(10));

    private final Predicate<? super UnixCredentials> test;

    /**
     * Creates a handler.
     *
     * @param test the predicate for peers to admit; if it throws, the peer is refused
     */
    public PeerAuthorizationHandler(Predicate<? super UnixCredentials> test) {
        this.test = ObjectUtil.checkNotNull(test, "test");
    }

    /**
     * Returns a predicate that admits a user. The overflow uid, usually 65534, admits every user that this process's
     * user namespace does not map, and messages that were sent before {@code SO_PASSCRED} was set.
     *
     * @param uid the user
     * @return the predicate
     */
    public static Predicate<UnixCredentials> uid(int uid) {
        return credentials -> credentials.uid() == uid;
    }

    /**
     * Returns a predicate that admits processes with this effective group. The overflow gid admits every group that is
     * not mapped, as with {@link #uid}.
     *
     * @param gid the group
     * @return the predicate
     */
    public static Predicate<UnixCredentials> gid(int gid) {
        return credentials -> credentials.gid() == gid;
    }

    /**
     * Returns a predicate that admits processes with this effective or supplementary group. Supplementary groups are
     * known on Linux 4.13 and later, for peers but not for messages. The overflow gid admits every group that is not
     * mapped, as with {@link #uid}.
     *
     * @param gid the group
     * @return the predicate
     */
    public static Predicate<UnixCredentials> group(int gid) {
        return credentials -> credentials.gid() == gid || credentials.groups().contains(gid);
    }

    /**
     * Returns a predicate that admits the user that this process runs as. If that is the overflow uid, because this
     * process's user namespace does not map its user or because it runs as {@code nobody}, the number does not
     * distinguish that user from all others that are not mapped, and nobody is admitted; {@link #uid} with that number
     * admits them all.
     *
     * @return the predicate
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

    /** Checks the peer once: if it passes, the handler removes itself. */
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
            ctx.pipeline().addLast(REFUSALS);
        }
        String known = credentials != null ? "the " + who + " is process " + credentials.pid() + ", user "
                + credentials.uid()
                + ", group " + credentials.gid() : who.equals("peer") ? "the peer has no credentials"
                : "the message has no credentials; SO_PASSCRED asks for them";
        ctx.fireExceptionCaught(new PeerRefusedException(channel, known, credentials, cause));
    }
}
