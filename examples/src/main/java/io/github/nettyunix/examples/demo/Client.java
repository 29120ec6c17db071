package io.github.nettyunix.examples.demo;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The process that may not open the files, and reads them all the same. */
final class Client {
    private static final long TIMEOUT_SECONDS = 10;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());

    private Client() {
    }

    static void run(Path folder) throws Exception {
        // It ends when the broker is ready.
        System.in.transferTo(OutputStream.nullOutputStream());
        System.out.println("client: started as process " + ProcessHandle.current().pid() + ", user "
                + System.getProperty("user.name"));
        for (String name : Demo.FILES) {
            tryToOpen(folder.resolve(name));
        }
        Client client = new Client();
        try {
            for (SocketType type : Demo.types()) {
                client.fetch(type, Demo.brokerSocket(folder, type), Demo.clientSocket(folder, type));
            }
        } finally {
            client.group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    private static void tryToOpen(Path file) throws IOException {
        try (InputStream opened = Files.newInputStream(file)) {
            throw new IllegalStateException("the client can open " + file + " itself, this shows nothing");
        } catch (IOException e) {
            System.out.println("client: cannot open " + file.getFileName() + ": " + e.getClass().getSimpleName());
        }
    }

    /** Gets the files through one socket. */
    private void fetch(SocketType type, UnixSocketAddress broker, UnixSocketAddress own) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Bootstrap bootstrap = new Bootstrap().group(group)
                .option(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        Framing.addIfNeeded(channel);
                        channel.pipeline().addLast(new ClientHandler(type, done));
                    }
                });
        ChannelFuture connected = switch (type) {
            case STREAM -> bootstrap.channel(UnixStreamChannel.class).connect(broker);
            case SEQPACKET -> bootstrap.channel(UnixSeqpacketChannel.class).connect(broker);
            // To be answered it needs a name.
            case DATAGRAM -> bootstrap.channel(UnixDatagramChannel.class).bind(own).sync().channel().connect(broker);
        };
        Channel channel = connected.sync().channel();
        channel.writeAndFlush(new UnixMessage(Unpooled.copiedBuffer(BrokerHandler.FILES_PLEASE, StandardCharsets.UTF_8))).sync();
        done.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        channel.close().sync();
    }
}
