package io.github.nettyunix.handler;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.github.nettyunix.testing.Python;
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
@ExtendWith(NothingLeft.class)
class UnixMessageContentHandlerTest {
    @EachType
    void messagesArriveAsTheyDoWithoutControlData(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(new UnixMessageContentHandler())) {
            ends.send("plain");
            if (type == SocketType.DATAGRAM) {
                DomainDatagramPacket packet = ends.inbox.take(DomainDatagramPacket.class);
                assertEquals(UnixSocketAddress.unnamed(), packet.sender());
                assertEquals("plain", Ends.text(packet));
            } else {
                assertEquals("plain", Ends.text(ends.inbox.take(ByteBuf.class)));
            }
        }
    }

    @EachType
    void descriptorsAreRefusedAndClosed(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(new UnixMessageContentHandler())) {
            ends.sender.writeAndFlush(new UnixMessage(Ends.buffer("x"), Descriptors.some(2))).sync();
            FileDescriptorRefusedException refused = ends.inbox.take(FileDescriptorRefusedException.class);
            assertEquals("no handler takes the descriptors of a message that came in; their number is 2",
                    refused.getMessage());
            assertEquals(type, refused.socketType());
            if (type == SocketType.STREAM) {
                assertSame(Inbox.INACTIVE, ends.inbox.take());
            } else {
                ends.send("next");
                assertEquals("next", ends.text());
            }
        }
    }

    @Test
    void codecOfAServerThatAsksForCredentialsGetsItsBytes() throws Exception {
        UnixSocketAddress address = UnixSocketAddress.ofAbstract(UUID.randomUUID().toString());
        Inbox inbox = new Inbox();
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
            assertEquals("one", Ends.text(inbox.take(ByteBuf.class)));
            assertEquals("two", Ends.text(inbox.take(ByteBuf.class)));
            python.succeed();
            assertSame(Inbox.INACTIVE, inbox.take());
        }
        server.close().sync();
        Proof.of("CPython", "a codec of Netty reads on a server that asks for credentials");
    }

    /** A server whose codec gets nothing, since an option that seems unrelated has changed the class of messages. */
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
                client.writeAndFlush(Ends.buffer("line\n")).sync();
                Ends.settle(client);
                client.close().sync();
            }
            List<UnixDatagramChannel> pair = UnixDatagramChannel.pair();
            pair.get(1).config().setOption(UnixSocketOption.SO_PASSCRED, true);
            for (Channel channel : pair) {
                channel.pipeline().addLast(new ChannelInboundHandlerAdapter());
                group.register(channel).sync();
            }
            pair.get(0).writeAndFlush(Ends.buffer("x")).sync();
            Ends.settle(pair.get(1));
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
        Proof.of("itself", "messages that no handler takes are logged once, with the handler that helps");
    }
}
