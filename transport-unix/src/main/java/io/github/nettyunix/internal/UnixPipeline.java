package io.github.nettyunix.internal;

import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.internal.metrics.ChannelCounts;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.DefaultChannelPipeline;
import io.netty.util.internal.logging.InternalLogger;
import io.netty.util.internal.logging.InternalLoggerFactory;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A pipeline that warns if no handler takes a {@link UnixMessage}. An option such as {@code SO_PASSCRED} changes the
 * class of inbound messages, and codecs ignore messages of other classes than their own. Netty logs discarded messages
 * as well, but only at debug level.
 */
public final class UnixPipeline extends DefaultChannelPipeline {
    /** The classes of channels that have warned: a peer cannot fill the log. */
    private static final Set<Class<?>> WARNED = ConcurrentHashMap.newKeySet();

    public UnixPipeline(Channel channel) {
        super(channel);
    }

    @Override
    protected void onUnhandledInboundMessage(ChannelHandlerContext ctx, Object message) {
        if (message instanceof UnixMessage && WARNED.add(channel().getClass())) {
            InternalLogger logger = InternalLoggerFactory.getInstance(channel().getClass());
            logger.warn(warning(message));
        }
        if (message instanceof UnixMessage unixMessage) {
            ChannelCounts.unclaimed(channel(), unixMessage.fileDescriptors().size());
        }
        super.onUnhandledInboundMessage(ctx, message);
    }

    private String warning(Object message) {
        boolean datagram = message instanceof UnixDatagramPacket;
        return "No handler in the pipeline " + toMap().keySet() + " of " + channel() + " takes "
                + message.getClass().getSimpleName() + "s, which RECEIVE_CONTROL_DATA, SO_PASSCRED, SO_PASSPIDFD or"
                + " SO_PASSSEC make the channel deliver; they are discarded. For handlers of "
                + (datagram ? "DomainDatagramPackets" : "ByteBufs")
                + ", add a UnixMessageContentHandler in front of them"
                + (datagram ? "." : ", or a FileDescriptorQueueHandler if they use descriptors.")
                + " This is logged once per class of channels.";
    }
}
