package io.github.nettyunix.examples.proxy;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.FastThreadLocal;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Decides which credentials a message is forwarded with: those of its sender, if the kernel permits it. A privileged
 * process may claim any user and group, and any process that exists. If the sender has ended already, or the kernel
 * permits only its user and group, the process is this one.
 */
final class SenderCredentials {
    /** Not a socket. The kernel checks the credentials of a datagram first, and then refuses its recipient. */
    private static final UnixSocketAddress NOBODY = UnixSocketAddress.of("/dev/null");
    /** The socket that each event loop asks the kernel with. */
    private static final FastThreadLocal<Channel> PROBE = new FastThreadLocal<>();

    private final UnixCredentials own = UnixCredentials.ofThisProcess();
    private final AtomicBoolean reported = new AtomicBoolean();

    /**
     * Returns a view of a message with the credentials to send.
     *
     * @param sender the credentials that it was received with
     * @param isSentAtOnce whether no other message waits to be sent; otherwise its sender might end before
     */
    UnixMessage replace(UnixMessage message, UnixCredentials sender, boolean isSentAtOnce, EventLoop loop) {
        if (isSentAtOnce && isPermitted(sender, loop)) {
            return message.withCredentials(sender);
        }
        UnixCredentials user = new UnixCredentials(own.pid(), sender.uid(), sender.gid());
        return message.withCredentials(isPermitted(user, loop) ? user : null);
    }

    private boolean isPermitted(UnixCredentials claim, EventLoop loop) {
        ChannelFuture sent = probe(loop).writeAndFlush(
                new UnixDatagramPacket(Unpooled.EMPTY_BUFFER, NOBODY).withCredentials(claim));
        UnixErrno refusal = sent.cause() instanceof UnixSocketError error ? error.error() : null;
        if (refusal == UnixErrno.EPERM && !reported.getAndSet(true)) {
            System.err.println("credentials: the kernel does not permit sending process " + claim.pid() + ", user "
                    + claim.uid() + ", group " + claim.gid() + ": the proxy sends its own instead");
        }
        return refusal != UnixErrno.EPERM && refusal != UnixErrno.ESRCH;
    }

    private static Channel probe(EventLoop loop) {
        Channel probe = PROBE.get();
        if (probe == null) {
            probe = new UnixDatagramChannel();
            loop.register(probe);
            PROBE.set(probe);
        }
        return probe;
    }
}
