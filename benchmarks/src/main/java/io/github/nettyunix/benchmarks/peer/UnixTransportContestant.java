package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.benchmarks.Operation;
import io.github.nettyunix.benchmarks.Settings;
import io.github.nettyunix.benchmarks.SocketKind;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** This project's channels. */
final class UnixTransportContestant extends NettyContestant {
    UnixTransportContestant() {
        super("unix", "netty-transport-unix");
    }

    @Override
    public Role role() {
        return Role.OURS;
    }

    @Override
    IoHandlerFactory newIoHandlerFactory(boolean spin) {
        return spin ? UnixTransport.newSpinningIoHandlerFactory() : UnixTransport.newIoHandlerFactory();
    }

    @Override
    Class<? extends ServerChannel> serverClass(SocketKind kind) {
        return kind == SocketKind.STREAM ? UnixServerStreamChannel.class : UnixServerSeqpacketChannel.class;
    }

    @Override
    Class<? extends Channel> channelClass(SocketKind kind) {
        return switch (kind) {
            case STREAM -> UnixStreamChannel.class;
            case SEQPACKET -> UnixSeqpacketChannel.class;
            case DATAGRAM -> UnixDatagramChannel.class;
        };
    }

    @Override
    int messagesPerRead() {
        return 64;
    }

    @Override
    boolean canPassDescriptors(int perMessage) {
        return true;
    }

    @Override
    boolean canShareMemory() {
        return true;
    }

    @Override
    void configureServer(ServerBootstrap bootstrap, Settings settings) {
        if (settings.operation() == Operation.DESCRIPTORS || settings.operation() == Operation.SHARED) {
            bootstrap.childOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
        }
    }

    @Override
    ChannelHandler newDescriptorReceiver(Settings settings, Tally tally) {
        return new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object object) {
                UnixMessage message = (UnixMessage) object;
                ByteBuf content = message.content();
                if (message.fileDescriptors().size() != settings.count()) {
                    tally.error();
                }
                tally.message(content.readableBytes(), content.getInt(content.readerIndex()),
                        content.getLong(content.readerIndex() + Integer.BYTES));
                message.release();
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                cause.printStackTrace();
                tally.error();
            }
        };
    }

    @Override
    NettyClient newDescriptorSender(Settings settings) throws IOException {
        UnixFileDescriptor passed = UnixFileDescriptor.open(Path.of("/dev/null"), StandardOpenOption.READ);
        return new OneWay.Sender(settings) {
            @Override
            Object newMessage(Channel channel, long number) {
                passed.retain(settings.count());
                UnixFileDescriptor[] all = new UnixFileDescriptor[settings.count()];
                Arrays.fill(all, passed);
                return new UnixMessage(NettyContestant.newMessage(channel, settings.size(), number), all);
            }
        };
    }
}
