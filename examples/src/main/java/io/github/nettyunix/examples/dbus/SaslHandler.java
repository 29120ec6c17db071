package io.github.nettyunix.examples.dbus;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * Authenticates this client (EXTERNAL, which relies on the kernel to identify it) and negotiates the passing of
 * descriptors. {@link #AUTHENTICATED} then notifies the handlers behind that messages can be sent.
 */
final class SaslHandler extends SimpleChannelInboundHandler<String> {
    static final Object AUTHENTICATED = new Object();
    private static final int MAX_LINE_LENGTH = 16 * 1024;

    private final int uid = UnixCredentials.ofThisProcess().uid();
    private final FileDescriptorQueueHandler arrived = new FileDescriptorQueueHandler();

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        ctx.pipeline().addBefore(ctx.name(), null, arrived);
        ctx.pipeline().addBefore(ctx.name(), "lines", new LineBasedFrameDecoder(MAX_LINE_LENGTH));
        ctx.pipeline().addBefore(ctx.name(), "text", new StringDecoder(StandardCharsets.US_ASCII));
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        byte[] number = Integer.toUnsignedString(uid).getBytes(StandardCharsets.US_ASCII);
        send(ctx, "\0AUTH EXTERNAL " + ByteBufUtil.hexDump(number));
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, String line) throws IOException {
        switch (line.split(" ")[0]) {
            case "OK" -> send(ctx, "NEGOTIATE_UNIX_FD");
            case "AGREE_UNIX_FD" -> {
                send(ctx, "BEGIN");
                speakMessages(ctx);
            }
            case "REJECTED" -> throw new IOException("the bus does not let in user " + uid + ": " + line);
            case "ERROR" -> throw new IOException("the bus does not pass descriptors: " + line);
            default -> throw new IOException("not a message bus, it says: " + line);
        }
    }

    /**
     * Switches from lines to messages. The bus sends no message before it has received one, so none is lost in the line
     * decoder.
     */
    private void speakMessages(ChannelHandlerContext ctx) {
        var pipeline = ctx.pipeline();
        pipeline.remove("lines");
        pipeline.remove("text");
        pipeline.addBefore(ctx.name(), null, new DBusDecoder(arrived));
        pipeline.addBefore(ctx.name(), null, new DBusEncoder());
        ctx.fireUserEventTriggered(AUTHENTICATED);
        pipeline.remove(this);
    }

    private static void send(ChannelHandlerContext ctx, String line) {
        ctx.writeAndFlush(ByteBufUtil.writeAscii(ctx.alloc(), line + "\r\n"));
    }
}
