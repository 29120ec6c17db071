package io.github.nettyunix.examples.broker;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Requests files from a broker. */
public final class BrokerClient {
    private static final long TIMEOUT_SECONDS = 10;

    private BrokerClient() {
    }

    /**
     * Sends one request, and waits for the reply.
     *
     * @param group the event loops
     * @param type the type of the broker's socket
     * @param broker the broker's address
     * @param own the address at which a datagram socket receives the reply; other types of sockets need none
     * @param paths the files
     * @return the open files, one for each path, which the caller must release
     * @throws IOException if the request cannot be sent, or the broker refuses it
     * @throws InterruptedException if the thread is interrupted
     */
    public static List<UnixFileDescriptor> open(EventLoopGroup group, SocketType type, UnixSocketAddress broker,
                                                UnixSocketAddress own, List<String> paths)
            throws IOException, InterruptedException {
        CompletableFuture<List<UnixFileDescriptor>> answer = new CompletableFuture<>();
        Bootstrap bootstrap = new Bootstrap().group(group)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        Framing.addIfNeeded(channel);
                        channel.pipeline().addLast(new AnswerHandler(paths.size(), answer));
                    }
                });
        ChannelFuture connected = switch (type) {
            case STREAM -> bootstrap.channel(UnixStreamChannel.class).connect(broker);
            case SEQPACKET -> bootstrap.channel(UnixSeqpacketChannel.class).connect(broker);
            case DATAGRAM -> bootstrap.channel(UnixDatagramChannel.class).bind(own).sync().channel().connect(broker);
        };
        Channel channel = connected.sync().channel();
        try {
            channel.writeAndFlush(new UnixMessage(ByteBufUtil.writeUtf8(channel.alloc(), String.join("\0", paths))))
                    .sync();
            return answer.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage(), e.getCause());
        } catch (TimeoutException e) {
            throw new IOException(broker + " did not answer in " + TIMEOUT_SECONDS + " s", e);
        } finally {
            channel.close().sync();
        }
    }

    private static final class AnswerHandler extends SimpleChannelInboundHandler<UnixMessage> {
        private final int wanted;
        private final CompletableFuture<List<UnixFileDescriptor>> answer;

        AnswerHandler(int wanted, CompletableFuture<List<UnixFileDescriptor>> answer) {
            this.wanted = wanted;
            this.answer = answer;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, UnixMessage message) throws IOException {
            String text = message.content().toString(StandardCharsets.UTF_8);
            List<UnixFileDescriptor> files = message.fileDescriptors();
            if (!text.equals(BrokerHandler.GRANTED)) {
                throw new IOException(text.startsWith(BrokerHandler.REFUSED) ? text : "not a broker, it says: " + text);
            }
            if (files.size() != wanted) {
                throw new IOException(wanted + " files were asked for, and " + files.size() + " came");
            }
            // The message is released when this method returns, which would close its descriptors.
            files.forEach(UnixFileDescriptor::retain);
            if (!answer.complete(files)) {
                files.forEach(UnixFileDescriptor::release);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            answer.completeExceptionally(new IOException("the broker has closed the connection"));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            answer.completeExceptionally(cause);
        }
    }
}
