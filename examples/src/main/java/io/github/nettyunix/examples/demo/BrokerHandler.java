package io.github.nettyunix.examples.demo;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Answers {@link #FILES_PLEASE} with the files, if it is the client who asks, and everything else with itself. */
final class BrokerHandler extends SimpleChannelInboundHandler<UnixMessage> {
    static final String FILES_PLEASE = "files, please";

    private final SocketType type;
    private final List<UnixFileDescriptor> files;
    private final long clientPid;

    BrokerHandler(SocketType type, List<UnixFileDescriptor> files, long clientPid) {
        this.type = type;
        this.files = files;
        this.clientPid = clientPid;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, UnixMessage request) throws IOException {
        if (!request.content().toString(StandardCharsets.UTF_8).equals(FILES_PLEASE)) {
            reply(ctx, request, request.content().retain());
            return;
        }
        UnixCredentials who = sender(ctx, request);
        if (who.pid() != clientPid) {
            System.out.println("broker: " + type + ": process " + who.pid() + " asks, who is not the client");
            reply(ctx, request, ctx.alloc().buffer());
            return;
        }
        System.out.println("broker: " + type + ": the kernel says that process " + who.pid() + ", user " + who.uid()
                + ", is asking; sending " + files.size() + " descriptors in one message");
        ByteBuf digests = ctx.alloc().buffer();
        for (UnixFileDescriptor file : files) {
            digests.writeCharSequence(Contents.digest(Contents.read(file)) + '\n', StandardCharsets.US_ASCII);
        }
        // Writing gives a descriptor away; we keep a reference of our own.
        reply(ctx, request, digests, files.stream().map(UnixFileDescriptor::retain).toArray(UnixFileDescriptor[]::new));
    }

    /** Who is at the other end of a connection. Datagrams have no connection, so they bring their sender's credentials. */
    private static UnixCredentials sender(ChannelHandlerContext ctx, UnixMessage request) throws IOException {
        return request instanceof UnixDatagramPacket ? request.credentials() : ((UnixPeer) ctx.channel()).peerCredentials();
    }

    private static void reply(ChannelHandlerContext ctx, UnixMessage request, ByteBuf content, UnixFileDescriptor... fds) {
        UnixMessage reply = request instanceof UnixDatagramPacket packet
                ? new UnixDatagramPacket(content, packet.sender(), fds)
                : new UnixMessage(content, fds);
        ctx.writeAndFlush(reply).addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        System.out.println("broker: " + type + ": " + cause);
        ctx.close();
    }
}
