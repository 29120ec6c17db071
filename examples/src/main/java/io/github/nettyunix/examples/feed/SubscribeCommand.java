package io.github.nettyunix.examples.feed;

import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSharedMemoryChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.examples.Running;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;

/** {@code feed subscribe}: prints what a publisher sends. */
@Command(name = "subscribe",
        description = "Prints what a publisher sends. If the publisher drops it, it connects again and reports how "
                + "many records it has missed.")
final class SubscribeCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SOCKET", description = "the publisher's socket: a path, or @NAME")
    private UnixSocketAddress address;

    @Option(names = "--count", paramLabel = "N", defaultValue = "" + Long.MAX_VALUE,
            description = "end after N records; default: when the publisher ends")
    private long count;

    @Option(names = "--socket", description = "use the socket even if there is shared memory")
    private boolean socket;

    // Of the event loop, until the channel has closed.
    private long last;
    private boolean done;
    private Throwable failure;

    @Override
    public Integer call() throws Exception {
        boolean memory = UnixTransport.supportsSharedMemory() && !socket;
        try (Running running = new Running()) {
            Bootstrap bootstrap = new Bootstrap().group(running.group().next())
                    .channel(memory ? UnixSharedMemoryChannel.class : UnixSeqpacketChannel.class)
                    .handler(new RecordHandler());
            UnixSocketAddress publisher = memory ? FeedCommand.memory(address) : address;
            ChannelFuture connected = bootstrap.connect(publisher).sync();
            while (connected.isSuccess()) {
                connected.channel().closeFuture().sync();
                if (failure != null) {
                    throw new IOException(failure.getMessage(), failure);
                } else if (done) {
                    return 0;
                }
                connected = bootstrap.connect(publisher).await();
            }
            System.err.println("the feed has ended");
            return 0;
        }
    }

    @Sharable
    private final class RecordHandler extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf record) throws IOException {
            if (done) {
                return;
            }
            int space = record.bytesBefore((byte) ' ');
            long number = Long.parseLong(record.toString(0, space, StandardCharsets.US_ASCII));
            if (last > 0 && number > last + 1) {
                System.err.println("missed: " + (number - last - 1));
            }
            last = number;
            record.readBytes(System.out, record.readableBytes());
            done = --count == 0;
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            // Nobody reads any more, as behind "head".
            done |= System.out.checkError();
            if (done) {
                ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            failure = cause;
            ctx.close();
        }
    }
}
