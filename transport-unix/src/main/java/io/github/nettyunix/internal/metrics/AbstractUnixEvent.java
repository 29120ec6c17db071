package io.github.nettyunix.internal.metrics;

import io.github.nettyunix.SocketType;
import io.netty.channel.Channel;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.StackTrace;

import java.net.SocketAddress;

/** What the events have in common. A stack trace would show the event loop only. */
@Category("Netty Unix")
@StackTrace(false)
abstract class AbstractUnixEvent extends Event {
    @Label("Channel")
    @Description("The id of the channel, as Netty's logs show it")
    String channel;

    @Label("Socket Type")
    String socketType;

    final void setChannel(Channel channel, SocketType type) {
        this.channel = idOf(channel);
        socketType = type == null ? null : type.toString();
    }

    static String idOf(Channel channel) {
        return "0x" + channel.id().asShortText();
    }

    /** Returns the text of an address, or {@code null} if there is none. */
    static String text(SocketAddress address) {
        return address == null ? null : address.toString();
    }

    /** Returns the text of an error, or {@code null} if there is none. */
    static String text(Throwable cause) {
        return cause == null ? null : cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }
}
