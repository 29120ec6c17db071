package io.github.nettyunix.examples.restart;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.handler.PeerAuthorizationHandler;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.util.concurrent.Promise;

import java.io.IOException;

/** The new server's side. It becomes the server with what {@link HandOver} sends, and confirms each record. */
final class TakeOver extends SimpleChannelInboundHandler<UnixMessage> {
    private final Server server;
    private final Promise<Void> begun;
    private int count;

    private TakeOver(Server server) {
        this.server = server;
        begun = server.loop().newPromise();
    }

    /** Makes this process the server, in place of the one that is running. */
    static void connect(Server server, UnixSocketAddress control) throws InterruptedException {
        TakeOver takeOver = new TakeOver(server);
        new Bootstrap().group(server.loop()).channel(UnixSeqpacketChannel.class)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        // The process that sends us sockets must be trusted, too.
                        channel.pipeline().addLast(new PeerAuthorizationHandler(PeerAuthorizationHandler.sameUser()),
                                takeOver);
                    }
                })
                .connect(control).sync();
        takeOver.begun.sync();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, UnixMessage message) {
        ByteBuf content = message.content();
        if (!begun.isDone()) {
            server.adopt(content.readInt() + 1, message.fileDescriptors().get(0), message.fileDescriptors().get(1));
            begun.setSuccess(null);
        } else {
            for (UnixFileDescriptor fd : message.fileDescriptors()) {
                server.adoptConnection(fd, content.readBytes(content.readInt()));
                count++;
            }
        }
        ctx.writeAndFlush(Unpooled.EMPTY_BUFFER);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (begun.tryFailure(new IOException("the server that is running has refused"))) {
            return;
        }
        System.err.println(server + ": took over " + count + " connections");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        begun.tryFailure(cause);
        System.err.println(server + ": taking over: " + cause.getMessage());
        ctx.close();
    }
}
