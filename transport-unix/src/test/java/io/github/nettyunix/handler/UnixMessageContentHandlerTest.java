package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Python;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.unix.DomainDatagramPacket;
import io.netty.handler.codec.LineBasedFrameDecoder;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.BufferedReader;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Handlers of plain messages on channels with control data. */
@ExtendWith(LeakCheckExtension.class)
class UnixMessageContentHandlerTest {
    @EachType
    void messagesArriveAsTheyDoWithoutControlData(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(new UnixMessageContentHandler())) {
            pair.send("plain");
            if (type == SocketType.DATAGRAM) {
                DomainDatagramPacket packet = pair.inbox.take(DomainDatagramPacket.class);
                assertEquals(UnixSocketAddress.unnamed(), packet.sender());
                assertEquals("plain", ChannelPair.text(packet));
            } else {
                assertEquals("plain", ChannelPair.text(pair.inbox.take(ByteBuf.class)));
            }
        }
    }

    @EachType
    void descriptorsAreRefusedAndClosed(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(new UnixMessageContentHandler())) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(2))).sync();
            FileDescriptorRefusedException refused = pair.inbox.take(FileDescriptorRefusedException.class);
            assertEquals("no handler takes the descriptors of a message that came in; their number is 2",
                    refused.getMessage());
            assertEquals(type, refused.socketType());
            if (type == SocketType.STREAM) {
                assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            } else {
                pair.send("next");
                assertEquals("next", pair.text());
            }
        }
    }

    @Test
    void codecOfAServerThatAsksForCredentialsGetsItsBytes() throws Exception {
        UnixSocketAddress address = UnixSocketAddress.ofAbstract(UUID.randomUUID().toString());
        RecordingHandler inbox = new RecordingHandler();
        Channel server = Channels.server(SocketType.STREAM, () -> new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new UnixMessageContentHandler(), new LineBasedFrameDecoder(100), inbox);
            }
        }).option(UnixSocketOption.SO_PASSCRED, true).bind(address).sync().channel();
        try (Python python = Python.run("""
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(bytes.fromhex(sys.argv[1]))
                sock.send(b"one\\ntwo\\n")
                """, HexFormat.of().formatHex(address.bytes()))) {
            assertEquals("one", ChannelPair.text(inbox.take(ByteBuf.class)));
            assertEquals("two", ChannelPair.text(inbox.take(ByteBuf.class)));
            python.succeed();
            assertSame(RecordingHandler.INACTIVE, inbox.take());
        }
        server.close().sync();
        Evidence.of("CPython", "a codec of Netty reads on a server that asks for credentials");
    }

    /** A server whose codec gets nothing, because an option that seems unrelated has changed the class of messages. */
    static final class Starved {
        public static void main(String[] args) throws Exception {
            EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, UnixTransport.newIoHandlerFactory());
            UnixSocketAddress address = UnixSocketAddress.ofAbstract(UUID.randomUUID().toString());
            new ServerBootstrap().group(group).channel(UnixServerStreamChannel.class)
                    .option(UnixSocketOption.SO_PASSCRED, true)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.pipeline().addLast("lines", new LineBasedFrameDecoder(100));
                        }
                    }).bind(address).sync();
            for (int i = 0; i < 2; i++) {
                Channel client = new Bootstrap().group(group).channel(UnixStreamChannel.class)
                        .handler(new ChannelInboundHandlerAdapter()).connect(address).sync().channel();
                client.writeAndFlush(ChannelPair.buffer("line\n")).sync();
                ChannelPair.settle(client);
                client.close().sync();
            }
            List<UnixDatagramChannel> pair = UnixDatagramChannel.pair();
            pair.get(1).config().setOption(UnixSocketOption.SO_PASSCRED, true);
            for (Channel channel : pair) {
                channel.pipeline().addLast(new ChannelInboundHandlerAdapter());
                group.register(channel).sync();
            }
            pair.get(0).writeAndFlush(ChannelPair.buffer("x")).sync();
            ChannelPair.settle(pair.get(1));
            group.shutdownGracefully();
        }
    }

    @Test
    @Tag("once")
    void messageThatNoHandlerTakesIsLoggedOnce() throws Exception {
        Process process = new ProcessBuilder(Jvm.command(Starved.class)).redirectErrorStream(true).start();
        try (BufferedReader out = process.inputReader()) {
            List<String> lines = out.lines().filter(line -> line.contains("No handler")).toList();
            assertEquals(2, lines.size(), lines::toString);
            assertTrue(lines.get(0).startsWith("WARNING: No handler in the pipeline [lines] of "), lines.get(0));
            assertTrue(lines.get(0).contains(" takes UnixMessages, which RECEIVE_CONTROL_DATA, "), lines.get(0));
            assertTrue(lines.get(0).contains("UnixMessageContentHandler"), lines.get(0));
            assertTrue(lines.get(1).contains(" takes UnixDatagramPackets, "), lines.get(1));
        }
        Evidence.of("itself", "messages that no handler takes are logged once, with the handler that helps");
    }
}
