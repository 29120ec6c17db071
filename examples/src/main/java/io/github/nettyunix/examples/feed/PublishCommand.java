package io.github.nettyunix.examples.feed;

import io.github.nettyunix.UnixPeer;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerSharedMemoryChannel;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.ChannelGroupFuture;
import io.netty.channel.group.DefaultChannelGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** {@code feed publish}: sends each line of its input to all subscribers. */
@Command(name = "publish",
        description = "Sends each line of standard input to all subscribers, as a record with its number. Those that "
                + "do not keep up are dropped, so that they delay no others.")
final class PublishCommand implements Callable<Integer> {
    private static final int BATCH = 64;

    @Parameters(paramLabel = "SOCKET", description = "a path, or @NAME, of a seqpacket socket. Shared memory is "
            + "offered at SOCKET.memory.")
    private UnixSocketAddress address;

    @Option(names = "--backlog", paramLabel = "BYTES", defaultValue = "1048576",
            description = "drop a subscriber for which more than this waits; default: ${DEFAULT-VALUE}")
    private int backlog;

    // Used on the event loop, of which there is only one.
    private ChannelGroup subscribers;
    private ChannelGroupFuture last;
    private long number;

    @Override
    public Integer call() throws Exception {
        try (Running running = new Running()) {
            EventLoop loop = running.group().next();
            subscribers = new DefaultChannelGroup(loop);
            listen(loop, UnixServerSeqpacketChannel.class, address);
            if (UnixTransport.supportsSharedMemory()) {
                listen(loop, UnixServerSharedMemoryChannel.class, FeedCommand.memory(address));
            }
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            List<String> lines = new ArrayList<>();
            for (String line; (line = input.readLine()) != null;) {
                lines.add(line);
                if (lines.size() == BATCH || !input.ready()) {
                    loop.submit(() -> publish(lines)).sync();
                    lines.clear();
                }
            }
            if (last != null) {
                last.await(1, TimeUnit.SECONDS);
            }
            return 0;
        }
    }

    private void listen(EventLoop loop, Class<? extends ServerChannel> type, UnixSocketAddress at) throws Exception {
        Channel server = new ServerBootstrap().group(loop).channel(type)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(backlog / 2, backlog))
                .childHandler(new SubscriberHandler())
                .bind(at).sync().channel();
        System.err.println("listening on " + server.localAddress());
    }

    private void publish(List<String> lines) {
        for (String line : lines) {
            String record = ++number + " " + line + '\n';
            last = subscribers.write(ByteBufUtil.writeUtf8(UnpooledByteBufAllocator.DEFAULT, record));
        }
        subscribers.flush();
        for (Channel subscriber : subscribers) {
            if (!subscriber.isWritable()) {
                System.err.println("dropped at record " + number + ": " + name(subscriber));
                subscriber.close();
            }
        }
    }

    private static String name(Channel subscriber) {
        try {
            return "process " + ((UnixPeer) subscriber).peerCredentials().pid()
                    + (subscriber instanceof UnixSharedMemoryChannel ? ", shared memory" : ", socket");
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    @Sharable
    private final class SubscriberHandler extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            System.err.println("subscribed: " + name(ctx.channel()));
            subscribers.add(ctx.channel());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            System.err.println(cause.getMessage());
            ctx.close();
        }
    }
}
