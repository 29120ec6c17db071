package io.github.nettyunix.examples.clamd;

import io.github.nettyunix.UnixFileDescriptor;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.DelimiterBasedFrameDecoder;
import io.netty.handler.codec.Delimiters;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A connection to clamd that stays open for many files. Requests are numbered from 1; replies arrive as scans end.
 *
 * @see <a href="https://manpages.debian.org/clamd.8">clamd(8)</a>, FILDES and IDSESSION
 */
final class ClamdSession extends ChannelInitializer<Channel> {
    private static final int MAX_REPLY_LENGTH = 1 << 16;
    // clamd names a file by the number that its own descriptor has.
    private static final Pattern REPLY = Pattern.compile("(\\d+): (?:fd\\[\\d+]: )?(.*)", Pattern.DOTALL);

    private final Map<Integer, Promise<String>> waiting = new HashMap<>();
    private int requests;
    private Channel channel;

    @Override
    protected void initChannel(Channel channel) {
        this.channel = channel;
        channel.pipeline().addLast(
                // The prefix z means that the command and its reply end with a zero byte.
                new DelimiterBasedFrameDecoder(MAX_REPLY_LENGTH, Delimiters.nulDelimiter()),
                new StringDecoder(StandardCharsets.UTF_8), new ReplyHandler());
    }

    /**
     * Requests a scan, and transfers the ownership of the descriptor. The result is clamd's reply: OK, NAME FOUND or
     * MESSAGE ERROR.
     */
    Future<String> scan(UnixFileDescriptor file) {
        Promise<String> answer = channel.eventLoop().newPromise();
        channel.eventLoop().execute(() -> {
            waiting.put(++requests, answer);
            send("zFILDES\0");
            // A bare descriptor is sent with one zero byte, as the protocol requires.
            channel.writeAndFlush(file).addListener(sent -> {
                if (!sent.isSuccess()) {
                    answer.tryFailure(sent.cause());
                    // clamd would mistake the next request's descriptor for this one's.
                    channel.close();
                }
            });
        });
        return answer;
    }

    boolean isOpen() {
        return channel.isActive();
    }

    /** Ends the session; no scan may be pending. */
    void end() throws InterruptedException {
        send("zEND\0");
        channel.flush().close().sync();
    }

    private void send(String command) {
        channel.write(Unpooled.copiedBuffer(command, StandardCharsets.US_ASCII));
    }

    private final class ReplyHandler extends SimpleChannelInboundHandler<String> {
        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            send("zIDSESSION\0");
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, String reply) throws IOException {
            Matcher matcher = REPLY.matcher(reply);
            Promise<String> answer = matcher.matches() ? waiting.remove(Integer.valueOf(matcher.group(1))) : null;
            if (answer == null) {
                throw new IOException("clamd says: " + reply);
            }
            answer.trySuccess(matcher.group(2));
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            fail(new IOException("the connection to clamd is closed"));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            fail(cause);
            ctx.close();
        }

        private void fail(Throwable cause) {
            waiting.values().forEach(answer -> answer.tryFailure(cause));
            waiting.clear();
        }
    }
}
