package io.github.nettyunix.selftest;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramChannel;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSeqpacketChannel;
import io.github.nettyunix.UnixServerSeqpacketChannel;
import io.github.nettyunix.UnixServerStreamChannel;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.UnixTransport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The channels with which one feature is tried. One of them receives, and all are closed at the end. */
final class Trial {
    private static final long TIMEOUT_SECONDS = 30;
    private static final Object END = new Object();

    final SocketType type;
    Channel sender;
    Channel receiver;

    private final EventLoopGroup group;
    private final List<Channel> channels = new ArrayList<>();
    /** What the receiver reports: messages, exceptions, END. */
    private final BlockingQueue<Object> received = new LinkedBlockingQueue<>();
    private final BlockingQueue<Channel> accepted = new LinkedBlockingQueue<>();

    Trial(EventLoopGroup group, SocketType type) {
        this.group = group;
        this.type = type;
    }

    /** Sets up a socket pair. */
    Trial pair() throws Exception {
        return pair(null, null);
    }

    /** Sets up a socket pair whose receiver has an option. */
    <T> Trial pair(ChannelOption<T> option, T value) throws Exception {
        List<? extends Channel> pair = switch (type) {
            case STREAM -> UnixStreamChannel.pair();
            case SEQPACKET -> UnixSeqpacketChannel.pair();
            case DATAGRAM -> UnixDatagramChannel.pair();
        };
        channels.addAll(pair);
        sender = pair.get(0);
        receiver = pair.get(1);
        if (option != null) {
            receiver.config().setOption(option, value);
        }
        receiver.pipeline().addLast(new Recorder());
        await(group.register(receiver));
        await(group.register(sender));
        return this;
    }

    /** Receives from an existing socket. */
    void adopt(UnixFileDescriptor fd) throws Exception {
        receiver = UnixTransport.adopt(fd);
        channels.add(receiver);
        receiver.pipeline().addLast(new Recorder());
        await(group.register(receiver));
    }

    /** Binds a receiver, connects a sender to it, and sends a message. Returns the address that it was bound to. */
    <T> UnixSocketAddress reach(UnixSocketAddress address, ChannelOption<T> option, T value) throws Exception {
        Channel bound = bind(address, option, value);
        Bootstrap client = new Bootstrap().group(group).handler(new ChannelInboundHandlerAdapter());
        switch (type) {
            case STREAM -> client.channel(UnixStreamChannel.class);
            case SEQPACKET -> client.channel(UnixSeqpacketChannel.class);
            case DATAGRAM -> client.channel(UnixDatagramChannel.class);
        }
        var connected = client.connect(bound.localAddress());
        sender = connected.channel();
        channels.add(sender);
        await(connected);
        receiver = type == SocketType.DATAGRAM ? bound : accepted.poll(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        if (receiver == null) {
            throw new TimeoutException("no connection was accepted");
        }
        exchange();
        return (UnixSocketAddress) bound.localAddress();
    }

    private <T> Channel bind(UnixSocketAddress address, ChannelOption<T> option, T value) throws Exception {
        var bound = type == SocketType.DATAGRAM
                ? new Bootstrap().group(group).channel(UnixDatagramChannel.class).option(option, value)
                        .handler(new Recorder()).bind(address)
                : new ServerBootstrap().group(group).option(option, value)
                        .channel(type == SocketType.STREAM ? UnixServerStreamChannel.class
                                : UnixServerSeqpacketChannel.class)
                        .childHandler(new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                channel.pipeline().addLast(new Recorder());
                                accepted.add(channel);
                            }
                        }).bind(address);
        channels.add(bound.channel());
        await(bound);
        return bound.channel();
    }

    /** Sends a message and receives it. */
    Trial exchange() throws Exception {
        send("message");
        expect("message", take());
        return this;
    }

    void send(Object message) throws Exception {
        await(sender.writeAndFlush(message instanceof String text ? buffer(text) : message));
    }

    static ByteBuf buffer(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }

    /** The next message. */
    Object take() throws Exception {
        Object next = next();
        if (next instanceof Exception e) {
            throw e;
        }
        if (next == END) {
            throw new IllegalStateException("the connection has ended");
        }
        return next;
    }

    /** The next message with control data; the caller must release it. */
    UnixMessage takeMessage() throws Exception {
        return (UnixMessage) take();
    }

    /** Checks the bytes of a message, and releases it. */
    static void expect(String text, Object message) {
        ByteBuf content = message instanceof ByteBufHolder holder ? holder.content() : (ByteBuf) message;
        String actual = content.toString(StandardCharsets.UTF_8);
        ReferenceCountUtil.release(message);
        expectEqual(text, actual);
    }

    static void expectEqual(Object expected, Object actual) {
        if (!expected.equals(actual)) {
            throw new IllegalStateException('"' + String.valueOf(actual) + "\" instead of \"" + expected + '"');
        }
    }

    void expectEnd() throws Exception {
        Object next = next();
        if (next != END) {
            ReferenceCountUtil.release(next);
            throw new IllegalStateException(next + " instead of the end");
        }
    }

    private Object next() throws Exception {
        Object next = received.poll(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        if (next == null) {
            throw new TimeoutException("nothing arrives");
        }
        return next;
    }

    static void await(Future<?> future) throws Exception {
        if (!future.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            throw new TimeoutException("an operation does not complete");
        }
        if (future.cause() instanceof Exception e) {
            throw e;
        }
        future.sync();
    }

    /** Closes all channels. */
    void close() throws Exception {
        for (Channel channel : channels) {
            if (channel.isRegistered()) {
                await(channel.close());
            } else {
                channel.unsafe().closeForcibly();
            }
        }
        for (Channel channel : accepted) {
            await(channel.close());
        }
        received.forEach(ReferenceCountUtil::release);
    }

    private final class Recorder extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            received.add(message);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            received.add(END);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            received.add(cause);
        }
    }
}
