package io.github.nettyunix.examples.demo;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;

/** Checks the files that the broker sends, then has some bytes echoed. */
final class ClientHandler extends SimpleChannelInboundHandler<UnixMessage> {
    private static final int ECHO_LENGTH = 4096;

    private final SocketType type;
    private final CompletableFuture<Void> done;
    private byte[] echo;

    ClientHandler(SocketType type, CompletableFuture<Void> done) {
        this.type = type;
        this.done = done;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, UnixMessage message) throws IOException {
        if (echo == null) {
            // The message is released when we return, and closes its descriptors then.
            checkFiles(message.fileDescriptors(), message.content().toString(StandardCharsets.US_ASCII).lines().toList());
            echo = new byte[ECHO_LENGTH];
            ThreadLocalRandom.current().nextBytes(echo);
            ctx.writeAndFlush(new UnixMessage(Unpooled.wrappedBuffer(echo)))
                    .addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
        } else if (ByteBufUtil.equals(message.content(), Unpooled.wrappedBuffer(echo))) {
            System.out.println("client: " + type + ": " + echo.length + " bytes came back as they were sent");
            done.complete(null);
        } else {
            throw new IOException("the echo is not what was sent");
        }
    }

    private void checkFiles(List<UnixFileDescriptor> files, List<String> digests) throws IOException {
        if (files.size() != Demo.FILES.size() || digests.size() != files.size()) {
            throw new IOException("the broker sent " + files.size() + " descriptors and " + digests.size() + " digests");
        }
        for (int i = 0; i < files.size(); i++) {
            String name = Demo.FILES.get(i);
            String content = Contents.read(files.get(i));
            if (!content.startsWith("I am " + name + ",") || !Contents.digest(content).equals(digests.get(i))) {
                throw new IOException("descriptor " + i + " is not " + name + ", it says: " + content);
            }
            System.out.println("client: " + type + ": descriptor " + files.get(i).intValue() + " says: " + content.strip());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        done.completeExceptionally(new IOException("the broker has closed the connection"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        done.completeExceptionally(cause);
        ctx.close();
    }
}
