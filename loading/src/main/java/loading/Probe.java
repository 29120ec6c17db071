package loading;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.ReferenceCountUtil;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** An application: what it says depends on where it, this library and Netty have been put. */
public final class Probe {
    private Probe() {
    }

    /**
     * Prints what {@link #tell} returns.
     *
     * @param arguments none
     * @throws Exception if it fails
     */
    public static void main(String[] arguments) throws Exception {
        System.out.println(tell());
    }

    /** Returns how talking to itself goes, or why it cannot. */
    public static String tell() throws Exception {
        Throwable cause = UnixTransport.unavailabilityCause();
        if (cause != null) {
            return "unavailable: " + cause.getMessage();
        }
        Path folder = Files.createTempDirectory("probe");
        StringBuilder told = new StringBuilder("available");
        for (SocketType type : new SocketType[] {SocketType.STREAM, SocketType.SEQPACKET}) {
            String path = folder.resolve(type.toString()).toString();
            AutoCloseable server = Sockets.serve(type, path);
            told.append(", ").append(type).append(' ').append(Sockets.call(type, path));
            server.close();
        }
        Files.delete(folder);
        return told.toString();
    }

    /** Serves on a stream socket until it is closed. */
    public static AutoCloseable serve(String path) throws Exception {
        return Sockets.serve(SocketType.STREAM, path);
    }

    /** Sends text and a descriptor to a server, and returns what comes back. */
    public static String call(String path) throws Exception {
        return Sockets.call(SocketType.STREAM, path);
    }

    /** Not loaded where there are no sockets. */
    private static final class Sockets {
        static AutoCloseable serve(SocketType type, String path) throws Exception {
            EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
            Channel server = new ServerBootstrap().group(group)
                    .channel(type == SocketType.STREAM ? UnixServerStreamChannel.class
                            : UnixServerSeqpacketChannel.class)
                    .childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                    .childHandler(new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                            ctx.writeAndFlush(message);
                        }
                    }).bind(UnixSocketAddress.of(path)).sync().channel();
            return () -> {
                server.close().sync();
                group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
            };
        }

        static String call(SocketType type, String path) throws Exception {
            EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
            CompletableFuture<String> answer = new CompletableFuture<>();
            try {
                Channel channel = new Bootstrap().group(group)
                        .channel(type == SocketType.STREAM ? UnixStreamChannel.class : UnixSeqpacketChannel.class)
                        .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                        .handler(new ChannelInboundHandlerAdapter() {
                            @Override
                            public void channelRead(ChannelHandlerContext ctx, Object message) {
                                UnixMessage received = (UnixMessage) message;
                                answer.complete(received.content().toString(StandardCharsets.UTF_8) + '+'
                                        + received.fileDescriptors().size());
                                ReferenceCountUtil.release(message);
                            }

                            @Override
                            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                                answer.completeExceptionally(cause);
                            }
                        }).connect(UnixSocketAddress.of(path)).sync().channel();
                UnixFileDescriptor fd = UnixFileDescriptor.open(Path.of("/dev/null"));
                channel.writeAndFlush(new UnixMessage(Unpooled.copiedBuffer("text", StandardCharsets.UTF_8), fd))
                        .sync();
                String result = answer.get(30, TimeUnit.SECONDS);
                channel.close().sync();
                return result;
            } finally {
                group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
            }
        }
    }
}
