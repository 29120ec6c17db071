package io.github.nettyunix.examples.syslog;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;

import java.nio.charset.StandardCharsets;

/** Prints a line for each message, with what the kernel says of its sender. */
final class SyslogHandler extends SimpleChannelInboundHandler<UnixDatagramPacket> {
    @Override
    protected void channelRead0(ChannelHandlerContext ctx, UnixDatagramPacket packet) {
        // Some senders end a message with a newline or a NUL, as on a stream.
        String content = packet.content().toString(StandardCharsets.UTF_8).replaceFirst("[\n\0]+$", "");
        SyslogMessage message = SyslogMessage.parse(content);
        UnixCredentials sender = packet.credentials();
        System.out.printf("%s.%s (%d) %s%s (process %d, user %d, group %d)%n",
                message.facility(), message.severity(), message.priority(),
                message.tag().isEmpty() ? "" : printable(message.tag()) + ": ", printable(message.text()),
                sender.pid(), sender.uid(), sender.gid());
    }

    /** A message is one line, and no command to a terminal. */
    private static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println(cause.getMessage());
    }
}
