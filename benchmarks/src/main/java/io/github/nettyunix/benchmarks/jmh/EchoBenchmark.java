package io.github.nettyunix.benchmarks.jmh;

import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

import java.io.File;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A round trip of 64 bytes between two channels on one event loop: no switch of processes, only what they themselves cost. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class EchoBenchmark {
    private static final int ROUND_TRIPS = 1000;
    private static final int SIZE = 64;

    @Param({"unix-stream", "unix-seqpacket", "netty-epoll"})
    private String system;

    private EventLoopGroup group;
    private Channel client;
    private int left;
    private CountDownLatch done;

    @Setup(Level.Trial)
    public void open() throws Exception {
        group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
        switch (system) {
            case "unix-stream" -> register(UnixStreamChannel.pair());
            case "unix-seqpacket" -> register(UnixSeqpacketChannel.pair());
            default -> connectNetty();
        }
    }

    private void register(List<? extends Channel> pair) throws InterruptedException {
        client = pair.get(0);
        client.pipeline().addLast(new Client());
        pair.get(1).pipeline().addLast(new Echo());
        group.register(client).sync();
        group.register(pair.get(1)).sync();
    }

    private void connectNetty() throws InterruptedException, IOException {
        File file = File.createTempFile("echo", ".sock");
        file.delete();
        DomainSocketAddress address = new DomainSocketAddress(file);
        new ServerBootstrap().group(group).channel(EpollServerDomainSocketChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new Echo());
                    }
                }).bind(address).sync();
        client = new Bootstrap().group(group).channel(EpollDomainSocketChannel.class).handler(new Client()).connect(address)
                .sync().channel();
        file.deleteOnExit();
    }

    @TearDown(Level.Trial)
    public void close() throws InterruptedException {
        client.close().sync();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    @Benchmark
    @OperationsPerInvocation(ROUND_TRIPS)
    public void roundTrip() throws InterruptedException {
        done = new CountDownLatch(1);
        client.eventLoop().execute(() -> {
            left = ROUND_TRIPS;
            send();
        });
        done.await();
    }

    private void send() {
        client.writeAndFlush(client.alloc().directBuffer(SIZE, SIZE).writerIndex(SIZE), client.voidPromise());
    }

    private final class Client extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ((ByteBuf) message).release();
            if (--left > 0) {
                send();
            } else {
                done.countDown();
            }
        }
    }

    private static final class Echo extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            context.write(message, context.voidPromise());
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.flush();
        }
    }
}
