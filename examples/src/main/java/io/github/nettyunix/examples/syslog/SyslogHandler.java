package io.github.nettyunix.examples.syslog;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;

import java.nio.charset.StandardCharsets;

/** Prints a line for each message, with its sender as reported by the kernel. */
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

    /** Makes a message safe to print to a terminal, on one line. */
    private static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.err.println(cause.getMessage());
    }
}
