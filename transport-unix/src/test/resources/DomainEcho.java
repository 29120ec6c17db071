import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.*;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.DomainSocketChannel;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import io.netty.handler.codec.string.StringEncoder;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A program for Netty's domain channels: an echo over streams, and one over datagrams. */
public class DomainEcho {
    private static final BlockingQueue<String> ANSWERS = new LinkedBlockingQueue<>();

    public static List<String> run(String folder) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory());
        List<String> answers = new ArrayList<>();
        try {
            stream(group, new DomainSocketAddress(folder + "/stream"), answers);
            datagrams(group, new DomainSocketAddress(folder + "/server"), new DomainSocketAddress(folder + "/client"),
                    answers);
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
        return answers;
    }

    private static void stream(EventLoopGroup group, DomainSocketAddress address, List<String> answers)
            throws Exception {
        Channel server = new ServerBootstrap().group(group)
                .channel(EpollServerDomainSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 16)
                .childHandler(new ChannelInitializer<EpollDomainSocketChannel>() {
                    @Override
                    protected void initChannel(EpollDomainSocketChannel channel) {
                        channel.config().setSendBufferSize(100_000);
                        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                            @Override
                            public void channelRead(ChannelHandlerContext ctx, Object message) {
                                ctx.writeAndFlush(message);
                            }
                        });
                    }
                })
                .bind(address).sync().channel();
        DomainSocketChannel client = (DomainSocketChannel) new Bootstrap().group(group)
                .channel(EpollDomainSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 5000)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new LineBasedFrameDecoder(100), new StringDecoder(),
                                new StringEncoder(), new SimpleChannelInboundHandler<String>() {
                                    @Override
                                    protected void channelRead0(ChannelHandlerContext ctx, String line) {
                                        ANSWERS.add(line);
                                    }
                                });
                    }
                })
                .connect(address).sync().channel();
        client.write("one\ntw");
        client.writeAndFlush("o\n").sync();
        answers.add(ANSWERS.poll(10, TimeUnit.SECONDS));
        answers.add(ANSWERS.poll(10, TimeUnit.SECONDS));
        answers.add("at the server: " + client.remoteAddress().equals(address));
        client.shutdownOutput().sync();
        client.closeFuture().sync();
        server.close().sync();
    }

    private static void datagrams(EventLoopGroup group, DomainSocketAddress serverAddress,
            DomainSocketAddress clientAddress,
                                  List<String> answers) throws Exception {
        Channel server = new Bootstrap().group(group)
                .channel(EpollDomainDatagramChannel.class)
                .handler(new SimpleChannelInboundHandler<DomainDatagramPacket>() {
                    @Override
                    protected void channelRead0(ChannelHandlerContext ctx, DomainDatagramPacket packet) {
                        ctx.writeAndFlush(new DomainDatagramPacket(packet.content().retain(), packet.sender()));
                    }
                })
                .bind(serverAddress).sync().channel();
        Channel client = new Bootstrap().group(group)
                .channel(EpollDomainDatagramChannel.class)
                .handler(new SimpleChannelInboundHandler<DomainDatagramPacket>() {
                    @Override
                    protected void channelRead0(ChannelHandlerContext ctx, DomainDatagramPacket packet) {
                        ANSWERS.add(packet.content().toString(StandardCharsets.UTF_8) + " from the server: "
                                + packet.sender().equals(serverAddress));
                    }
                })
                .bind(clientAddress).sync().channel();
        for (String text : List.of("three", "four")) {
            client.writeAndFlush(new DomainDatagramPacket(Unpooled.copiedBuffer(text, StandardCharsets.UTF_8),
                    serverAddress)).sync();
            answers.add(ANSWERS.poll(10, TimeUnit.SECONDS));
        }
        client.close().sync();
        server.close().sync();
    }
}
