package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.ControlDataOptions;
import io.github.nettyunix.internal.read.RecordMark;
import io.github.nettyunix.internal.socket.SendBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.DescriptorUses;
import io.github.nettyunix.internal.write.OutboundMessages;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.Unpooled;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.unix.UnixChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Options that are set while messages arrive: in a handler, or by another thread. */
@ExtendWith(LeakCheckExtension.class)
class MidTurnOptionsTest {
    @EachType
    void fewerMessagesPerReadInTheMiddleOfATurnLoseNone(SocketType type) throws Exception {
        int count = 23;
        UnixFileDescriptor fd = Content.labelled("sent many times");
        ChannelInboundHandlerAdapter limiting = new ChannelInboundHandlerAdapter() {
            private int seen;

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (++seen == 3) {
                    ctx.channel().config().setRecvByteBufAllocator(new AdaptiveRecvByteBufAllocator()
                            .maxMessagesPerRead(1));
                }
                ctx.fireChannelRead(message);
            }
        };
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .with(ChannelOption.AUTO_READ, false);
        try (ChannelPair pair = prepared.start(limiting)) {
            for (int i = 0; i < count; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("message " + i), fd.retain()));
            }
            pair.sender.flush();
            ChannelPair.settle(pair.sender);
            pair.receiver.config().setAutoRead(true);
            for (int i = 0; i < count; i++) {
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                assertEquals(1, message.fileDescriptors().size());
                assertEquals("message " + i, ChannelPair.text(message));
            }
            assertTrue(pair.receiver.isActive());
        }
        fd.release();
    }

    @EachType
    void autoReadThatAnotherThreadTogglesLosesNothing(SocketType type) throws Exception {
        int count = 1500;
        UnixFileDescriptor fd = Content.labelled("sent many times");
        AtomicBoolean over = new AtomicBoolean();
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            Thread toggling = new Thread(() -> {
                for (boolean on = false; !over.get(); on = !on) {
                    pair.receiver.config().setAutoRead(on);
                }
                pair.receiver.config().setAutoRead(true);
            });
            toggling.start();
            pair.sender.eventLoop().execute(() -> {
                for (int i = 0; i < count; i++) {
                    pair.sender.write(new UnixMessage(Unpooled.directBuffer(4).writeInt(i), fd.retain()));
                    if (i % 40 == 0) {
                        pair.sender.flush();
                    }
                }
                pair.sender.flush();
            });
            for (int i = 0; i < count; i++) {
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                assertEquals(1, message.fileDescriptors().size());
                assertEquals(i, message.content().readInt());
                message.release();
            }
            over.set(true);
            toggling.join();
        }
        fd.release();
        Evidence.of("itself", "auto-read that is toggled by another thread loses no " + type + " message");
    }

    @Test
    @OnlyWith(SocketType.SEQPACKET)
    void emptyRecordsAreNoEndWhileControlDataIsTurnedOn() throws Exception {
        for (int round = 0; round < 25; round++) {
            try (ChannelPair pair = ChannelPair.started(SocketType.SEQPACKET)) {
                int count = 200;
                pair.sender.eventLoop().execute(() -> {
                    for (int i = 0; i < count; i++) {
                        pair.sender.writeAndFlush(Unpooled.EMPTY_BUFFER);
                    }
                });
                for (int i = 0; i < count; i++) {
                    if (i == 20) {
                        pair.receiver.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
                    }
                    assertEquals("", pair.text());
                }
            }
        }
        Evidence.of("itself", "empty records that arrive while another thread turns control data on do not end "
                + "the connection");
    }

    /** The steps of a read of the event loop, and another thread that sets the option between them. */
    @EachType
    void turningDescriptorsOnWaitsForTheReadThatDiscardsThem(SocketType type) throws Exception {
        var pair = Channels.pair(type);
        ChannelConfig config = pair.get(0).config();
        ControlDataOptions options = ((ChannelCore) pair.get(0).unsafe()).settings().controlData();
        assertEquals(0, options.beginRead().maxFds());
        Thread setter = new Thread(() -> config.setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true));
        setter.start();
        while (Stream.of(setter.getStackTrace()).noneMatch(frame -> frame.getMethodName().equals("awaitRead"))) {
            assertTrue(setter.isAlive(), "it has not waited");
            Thread.onSpinWait();
        }
        options.endRead();
        setter.join();
        assertNotEquals(0, options.beginRead().maxFds());
        for (Channel channel : pair) {
            channel.unsafe().closeForcibly();
        }
    }

    /** The loop reads all the time, so that the option is set during a read. */
    @EachType
    void descriptorsThatWereSentAfterTheyWereWantedArrive(SocketType type) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, Loops.newSpinningIoHandlerFactory());
        try {
            var pair = Channels.pair(type);
            Channel receiver = pair.get(0);
            RecordingHandler inbox = new RecordingHandler();
            receiver.pipeline().addLast(inbox);
            group.register(receiver).sync();
            // This thread sends by itself.
            UnixSocket sender = new UnixSocket(UnixFileDescriptor.dup(((UnixChannel) pair.get(1)).fd()).detach());
            pair.get(1).unsafe().closeForcibly();
            UnixFileDescriptor fd = Content.labelled("sent many times");
            UnixMessage sent = new UnixMessage(Unpooled.directBuffer(1).writeByte(1), fd);
            for (int i = 0; i < 400; i++) {
                receiver.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
                SendBatch batch = SendBatch.current();
                OutboundMessages.add(batch, DescriptorUses.current(), sent, null, null);
                assertEquals(1, type == SocketType.STREAM ? batch.sendStream(sender) : batch.sendRecords(sender, 0));
                DescriptorUses.current().end(0);
                UnixMessage message = inbox.take(UnixMessage.class);
                assertEquals(1, message.fileDescriptors().size(), "round " + i);
                message.release();
                receiver.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, false);
            }
            sent.release();
            sender.close();
            receiver.close().sync();
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        }
    }

    @Test
    @OnlyWith(SocketType.SEQPACKET)
    @EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: elsewhere senders mark their records")
    void socketWhoseRecordsCannotBeMarkedIsRefused() throws Exception {
        UnixSocket socket = new UnixSocket(UnixSocket.newSocket(SocketType.SEQPACKET.ordinal()));
        socket.close();
        ChannelException refused = assertThrows(ChannelException.class, () -> new RecordMark(socket));
        assertTrue(refused.getMessage().startsWith("setsockopt SO_TIMESTAMP seqpacket: EBADF"), refused.getMessage());
    }

    /** An option has no effect if the kernel refuses it. */
    @EachType
    void optionThatTheKernelRefusesIsNotSet(SocketType type) throws Exception {
        ChannelPair pair = ChannelPair.of(type).start();
        pair.close();
        assertThrows(ChannelException.class, () -> pair.receiver.config()
                .setOption(UnixSocketOption.SO_PASSCRED, true));
        assertEquals(false, pair.receiver.config().getOption(UnixSocketOption.SO_PASSCRED));
        assertSame(ControlDataOptions.Wanted.NOTHING,
                ((ChannelCore) pair.receiver.unsafe()).settings().controlData().wanted());
    }
}
