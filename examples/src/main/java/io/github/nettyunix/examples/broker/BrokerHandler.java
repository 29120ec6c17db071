package io.github.nettyunix.examples.broker;

import io.github.nettyunix.UnixCredentials;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixPeer;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Handles requests. A request is a path, or several paths separated by zero bytes. The reply is {@link #GRANTED} with
 * one descriptor for each path, or {@link #REFUSED} with the reason and no descriptors.
 *
 * <p>This handler tells every client why its request was refused. A server that does not want to reply to strangers at
 * all puts a {@link io.github.nettyunix.handler.PeerAuthorizationHandler} first in its pipeline.
 */
@Sharable
final class BrokerHandler extends SimpleChannelInboundHandler<UnixMessage> {
    static final String GRANTED = "granted";
    static final String REFUSED = "refused: ";

    private static final int LOG_LENGTH = 160;

    private final Predicate<UnixCredentials> allowed;
    private final GrantedFiles files;

    BrokerHandler(Predicate<UnixCredentials> allowed, GrantedFiles files) {
        this.allowed = allowed;
        this.files = files;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, UnixMessage request) throws IOException {
        UnixCredentials who = sender(ctx, request);
        String paths = request.content().toString(StandardCharsets.UTF_8);
        List<UnixFileDescriptor> opened = new ArrayList<>();
        String answer;
        try {
            open(who, paths.split("\0", -1), opened);
            answer = GRANTED;
        } catch (IOException e) {
            opened.forEach(UnixFileDescriptor::release);
            opened.clear();
            answer = REFUSED + e.getMessage();
        }
        log("process " + who.pid() + ", user " + who.uid() + ": "
                + (opened.isEmpty() ? answer : answer + ": " + paths));
        reply(ctx, request, answer, opened.toArray(new UnixFileDescriptor[0]));
    }

    private void open(UnixCredentials who, String[] paths, List<UnixFileDescriptor> opened) throws IOException {
        if (!allowed.test(who)) {
            throw new IOException("user " + who.uid() + " may not ask");
        }
        if (paths.length > UnixMessage.MAX_FILE_DESCRIPTORS) {
            throw new IOException(paths.length + " files at once, at most " + UnixMessage.MAX_FILE_DESCRIPTORS
                    + " can be sent");
        }
        for (String path : paths) {
            opened.add(files.open(path));
        }
    }

    /**
     * Returns the credentials of the process that connected or, for a datagram, those that came with it. On a
     * connection, the credentials of single messages would be less reliable: a process with more rights may have been
     * made to write to a socket that another process has connected.
     */
    private static UnixCredentials sender(ChannelHandlerContext ctx, UnixMessage request) throws IOException {
        return request instanceof UnixDatagramPacket ? request.credentials()
                : ((UnixPeer) ctx.channel()).peerCredentials();
    }

    private static void reply(ChannelHandlerContext ctx, UnixMessage request, String answer,
            UnixFileDescriptor... fds) {
        var content = ByteBufUtil.writeUtf8(ctx.alloc(), answer);
        ctx.writeAndFlush(request instanceof UnixDatagramPacket packet
                        ? new UnixDatagramPacket(content, packet.sender(), fds) : new UnixMessage(content, fds))
                .addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
    }

    /** Makes text that others have sent safe to print to a terminal. */
    private static void log(String line) {
        String printable = line.replaceAll("\\p{Cntrl}", " ");
        System.err.println("broker: " + printable.substring(0, Math.min(printable.length(), LOG_LENGTH)));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        log(cause.getMessage());
        if (ctx.channel() instanceof UnixPeer) {
            ctx.close();
        }
    }
}
