package io.github.nettyunix.metrics;

import io.github.nettyunix.ControlDataTruncatedException;
import io.github.nettyunix.DatagramQueueFull;
import io.github.nettyunix.MessageTruncatedException;
import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixMetrics;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.handler.FileDescriptorQueueHandler;
import io.github.nettyunix.handler.FileDescriptorRefusedException;
import io.github.nettyunix.handler.FileDescriptorTypeHandler;
import io.github.nettyunix.internal.socket.Errno;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.FailingCalls;
import io.github.nettyunix.testing.FullBacklog;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.RawSocket;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.util.ReferenceCountUtil;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What channels and event loops count. What is counted was counted before anybody can know that it has happened. */
@ExtendWith(LeakCheckExtension.class)
class UnixMetricsTest {
    @TempDir
    private Path folder;

    private static UnixMetrics of(Channel channel) {
        return UnixTransport.metrics(channel);
    }

    private static void assertReceived(Channel channel, long messages, long bytes, long descriptors) {
        assertEquals(messages + " messages, " + bytes + " bytes, " + descriptors + " descriptors",
                of(channel).messagesReceived() + " messages, " + of(channel).bytesReceived() + " bytes, "
                + of(channel).fileDescriptorsReceived() + " descriptors");
    }

    private static void assertSent(Channel channel, long messages, long bytes, long descriptors) {
        assertEquals(messages + " messages, " + bytes + " bytes, " + descriptors + " descriptors",
                of(channel).messagesSent() + " messages, " + of(channel).bytesSent() + " bytes, "
                + of(channel).fileDescriptorsSent() + " descriptors");
    }

    private static ChannelPair withDescriptors(SocketType type) {
        return ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
    }

    private UnixSocketAddress address() {
        return UnixSocketAddress.of(folder.resolve("app.sock"));
    }

    /** Takes so many bytes in whatever messages. */
    private static void takeBytes(ChannelPair pair, long count) {
        for (long left = count; left > 0;) {
            ByteBuf bytes = pair.inbox.take(ByteBuf.class);
            left -= bytes.readableBytes();
            bytes.release();
        }
    }

    @EachType
    void newChannelHasCountedNothing(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            assertReceived(pair.receiver, 0, 0, 0);
            assertSent(pair.sender, 0, 0, 0);
            assertEquals("UnixMetrics()", of(pair.sender).toString());
        }
        assertThrows(IllegalArgumentException.class, () -> of(new EmbeddedChannel()));
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void recordsAreCountedOneByOne(SocketType type) throws Exception {
        try (ChannelPair pair = withDescriptors(type).start()) {
            long bytes = 0;
            ChannelFuture last = null;
            for (int i = 0; i < 100; i++) {
                int size = i == 7 ? 10_000 : i;
                bytes += size;
                ByteBuf content = Unpooled.buffer(Math.max(size, 1)).writeZero(size);
                last = pair.sender.write(i % 10 == 3 ? new UnixMessage(content, Descriptors.some(2)) : content);
            }
            pair.sender.flush();
            for (int i = 0; i < 100; i++) {
                ReferenceCountUtil.release(pair.inbox.take(UnixMessage.class));
            }
            last.sync();
            assertSent(pair.sender, 100, bytes, 20);
            assertReceived(pair.receiver, 100, bytes, 20);
            assertReceived(pair.sender, 0, 0, 0);
            assertSent(pair.receiver, 0, 0, 0);
        }
    }

    @Test
    void buffersOfAStreamAreCountedAlthoughTheyAreSentTogether() throws Exception {
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            pair.receiver.config().setAutoRead(false);
            long bytes = 0;
            ChannelFuture last = null;
            // More than the socket takes at once; the batches end within a buffer.
            for (int i = 0; i < 3_000; i++) {
                int size = i % 300;
                bytes += size;
                last = pair.sender.write(Unpooled.buffer(Math.max(size, 1)).writeZero(size));
            }
            last = pair.sender.writeAndFlush(Unpooled.buffer(3_000_000).writeZero(3_000_000));
            bytes += 3_000_000;
            ChannelPair.settle(pair.sender);
            assertTrue(of(pair.sender).writeWaits() > 0);
            pair.receiver.config().setAutoRead(true);
            takeBytes(pair, bytes);
            last.sync();
            // Empty buffers are not sent.
            assertSent(pair.sender, 3_001 - 10, bytes, 0);
            assertEquals(bytes, of(pair.receiver).bytesReceived());
            assertTrue(of(pair.receiver).messagesReceived() > 1);
        }
    }

    @Test
    void promiseOfABufferIsCompletedAfterItWasCounted() throws Exception {
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            List<Long> counted = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                pair.sender.write(ChannelPair.buffer("x")).addListener(
                        done -> counted.add(of(pair.sender).messagesSent()));
            }
            pair.sender.writeAndFlush(Unpooled.EMPTY_BUFFER).sync();
            assertEquals(List.of(3L, 3L, 3L), counted);
            takeBytes(pair, 3);
        }
    }

    @Test
    void descriptorsOfAStreamAreCountedWithTheFirstByte() throws Exception {
        try (ChannelPair pair = withDescriptors(SocketType.STREAM).start()) {
            pair.receiver.config().setAutoRead(false);
            int large = 2_000_000;
            pair.sender.write(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(1)));
            pair.sender.write(Descriptors.some(1)[0]);
            ChannelFuture last = pair.sender.writeAndFlush(new UnixMessage(Unpooled.buffer(large).writeZero(large),
                    Descriptors.some(3)));
            ChannelPair.settle(pair.sender);
            assertEquals(2, of(pair.sender).messagesSent());
            assertEquals(5, of(pair.sender).fileDescriptorsSent());
            pair.receiver.config().setAutoRead(true);
            for (int left = large + 2; left > 0;) {
                UnixMessage message = pair.inbox.take(UnixMessage.class);
                left -= message.content().readableBytes();
                message.release();
            }
            last.sync();
            assertSent(pair.sender, 3, large + 2, 5);
            assertEquals(large + 2, of(pair.receiver).bytesReceived());
            assertEquals(5, of(pair.receiver).fileDescriptorsReceived());
        }
    }

    @Test
    void fileRegionIsOneMessage() throws Exception {
        Path file = Files.write(folder.resolve("file"), new byte[3_000_000]);
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            ChannelFuture sent = pair.sender.writeAndFlush(new DefaultFileRegion(file.toFile(), 0, 3_000_000));
            takeBytes(pair, 3_000_000);
            sent.sync();
            assertSent(pair.sender, 1, 3_000_000, 0);
        }
    }

    @Test
    void plainDescriptorsCountToo() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).start()) {
            pair.receiver.config().setOption(UnixChannelOption.DOMAIN_SOCKET_READ_MODE,
                    DomainSocketReadMode.FILE_DESCRIPTORS);
            pair.sender.writeAndFlush(Descriptors.some(1)[0]).sync();
            pair.inbox.take(FileDescriptor.class).close();
            assertSent(pair.sender, 1, 1, 1);
            assertReceived(pair.receiver, 1, 1, 1);
        }
    }

    @Test
    void datagramsToSeveralRecipientsAreCountedTogether() throws Exception {
        RecordingHandler[] inboxes = {new RecordingHandler(), new RecordingHandler()};
        Channel[] recipients = new Channel[2];
        for (int i = 0; i < 2; i++) {
            recipients[i] = Channels.client(SocketType.DATAGRAM, inboxes[i])
                    .bind(UnixSocketAddress.of(folder.resolve("recipient" + i))).sync().channel();
        }
        Channel sender = Channels.register(Channels.newClient(SocketType.DATAGRAM), new RecordingHandler());
        ChannelFuture failing = null;
        for (int i = 0; i < 6; i++) {
            if (i == 3) {
                // A system call ends here.
                failing = sender.write(new UnixDatagramPacket(ChannelPair.buffer("lost"),
                        UnixSocketAddress.of(folder.resolve("missing"))));
            }
            sender.write(new UnixDatagramPacket(ChannelPair.buffer("x".repeat(i + 1)),
                    recipients[i % 2].localAddress()));
        }
        sender.flush();
        ChannelPair.failure(failing);
        ChannelPair.settle(sender);
        assertSent(sender, 6, 21, 0);
        for (int i = 0; i < 2; i++) {
            for (int k = 0; k < 3; k++) {
                ReferenceCountUtil.release(inboxes[i].take());
            }
            assertReceived(recipients[i], 3, i == 0 ? 1 + 3 + 5 : 2 + 4 + 6, 0);
            recipients[i].close().sync();
        }
        sender.close().sync();
    }

    @Test
    void droppedDatagramsAndWaitsAreCounted() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.DATAGRAM)
                .withSender(UnixSocketOption.DATAGRAM_QUEUE_FULL, DatagramQueueFull.DROP).start()) {
            pair.receiver.config().setAutoRead(false);
            ChannelFuture last = null;
            for (int i = 0; i < 1_000; i++) {
                last = pair.sender.writeAndFlush(ChannelPair.buffer("x"));
            }
            last.sync();
            UnixMetrics metrics = of(pair.sender);
            assertTrue(metrics.droppedMessages() > 0);
            assertEquals(1_000, metrics.messagesSent() + metrics.droppedMessages());
            assertEquals(0, metrics.writeWaits());

            pair.sender.config().setOption(UnixSocketOption.DATAGRAM_QUEUE_FULL, DatagramQueueFull.WAIT);
            last = pair.send("last");
            ChannelPair.settle(pair.sender);
            assertTrue(metrics.writeWaits() > 0);
            pair.receiver.config().setAutoRead(true);
            last.sync();
            for (long i = metrics.messagesSent(); i > 0; i--) {
                ReferenceCountUtil.release(pair.inbox.take());
            }
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void truncatedRecordsAreCounted(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.MAX_MESSAGE_SIZE, 10).start()) {
            pair.send("more than ten bytes");
            pair.send("short").sync();
            pair.inbox.take(MessageTruncatedException.class);
            assertEquals("short", pair.text());
            assertReceived(pair.receiver, 1, 5, 0);
            assertEquals(1, of(pair.receiver).truncatedMessages());
            assertEquals(0, of(pair.receiver).truncatedControlData());
        }
    }

    @EachType
    void truncatedControlDataIsCounted(SocketType type) throws Exception {
        try (ChannelPair pair = withDescriptors(type).with(UnixSocketOption.MAX_FILE_DESCRIPTORS_PER_MESSAGE, 1)
                .start()) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
            pair.inbox.take(ControlDataTruncatedException.class);
            assertReceived(pair.receiver, 0, 0, 0);
            assertEquals(1, of(pair.receiver).truncatedControlData());
            assertEquals(0, of(pair.receiver).truncatedMessages());
        }
    }

    @EachType
    void refusedDescriptorsAreCounted(SocketType type) throws Exception {
        try (ChannelPair pair = withDescriptors(type).start(
                new FileDescriptorTypeHandler(UnixFileDescriptor.Type.SOCKET))) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
            pair.inbox.take(FileDescriptorRefusedException.class);
            assertReceived(pair.receiver, 1, 1, 3);
            assertEquals(3, of(pair.receiver).fileDescriptorsRefused());
            assertEquals(0, of(pair.receiver).fileDescriptorsUnclaimed());
        }
    }

    @Test
    @SuppressWarnings("deprecation") // Netty's pipelines still have threads for handlers.
    void refusalByAHandlerWithAThreadOfItsOwnIsCounted() throws Exception {
        EventLoopGroup other = Loops.newGroup(1);
        try (ChannelPair pair = withDescriptors(SocketType.DATAGRAM).start()) {
            FileDescriptorTypeHandler handler = new FileDescriptorTypeHandler(UnixFileDescriptor.Type.SOCKET);
            pair.receiver.pipeline().addFirst(other, handler);
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
            pair.inbox.take(FileDescriptorRefusedException.class);
            ChannelPair.settle(pair.receiver);
            assertEquals(3, of(pair.receiver).fileDescriptorsRefused());
            pair.receiver.pipeline().remove(handler);
        }
        other.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }

    @Test
    void descriptorsLeftInAQueueAreUnclaimed() throws Exception {
        try (ChannelPair pair = withDescriptors(SocketType.STREAM).start(new FileDescriptorQueueHandler())) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
            takeBytes(pair, 1);
            assertEquals(0, of(pair.receiver).fileDescriptorsUnclaimed());
            pair.receiver.close();
            assertEquals(RecordingHandler.INACTIVE, pair.inbox.take());
            ChannelPair.settle(pair.receiver);
            assertEquals(3, of(pair.receiver).fileDescriptorsUnclaimed());
        }
    }

    @EachType
    void descriptorsThatReachTheEndOfThePipelineAreUnclaimed(SocketType type) throws Exception {
        ChannelInboundHandlerAdapter passing = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                // Past the inbox.
                ctx.pipeline().context(RecordingHandler.class).fireChannelRead(message);
                ctx.fireChannelRead("passed");
            }
        };
        try (ChannelPair pair = withDescriptors(type).start(passing)) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3))).sync();
            assertEquals("passed", pair.inbox.take());
            assertEquals(3, of(pair.receiver).fileDescriptorsUnclaimed());
            assertEquals(0, of(pair.receiver).fileDescriptorsRefused());
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void descriptorsThatACloseFindsUndeliveredAreUnclaimed(SocketType type) throws Exception {
        ChannelInboundHandlerAdapter closing = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.fireChannelRead(message);
                ctx.close();
            }
        };
        try (ChannelPair pair = withDescriptors(type).with(ChannelOption.AUTO_READ, false).start(closing)) {
            // A channel of a stranger receives messages with descriptors one by one, unless the first ones have none.
            CountDownLatch sent = new CountDownLatch(1);
            pair.sender.write(ChannelPair.buffer("first"));
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(3)))
                    .addListener(done -> sent.countDown());
            sent.await();
            pair.receiver.config().setAutoRead(true);
            assertEquals("first", pair.text());
            pair.receiver.closeFuture().sync();
            assertReceived(pair.receiver, 2, 6, 3);
            assertEquals(3, of(pair.receiver).fileDescriptorsUnclaimed());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void acceptedConnectionsAreCounted(SocketType type) throws Exception {
        RecordingHandler accepted = new RecordingHandler();
        Channel server = Channels.server(type, () -> accepted).bind(address()).sync().channel();
        Channel client = Channels.client(type, new RecordingHandler()).connect(address()).sync().channel();
        accepted.channel();
        assertEquals(1, of(server).acceptedConnections());
        assertEquals(0, of(server).acceptErrors());
        assertEquals(0, of(client).connectRetries());
        client.close().sync();
        server.close().sync();
    }

    @Test
    @Tag("once")
    @EnabledOnOs(OS.LINUX)
    void failedAcceptsAreCountedEvenIfTheyAreReportedOnce() throws Exception {
        EventLoopGroup group = Loops.newGroup(1);
        RecordingHandler inbox = new RecordingHandler();
        Channel server = Channels.server(group, SocketType.STREAM, RecordingHandler::new).handler(inbox)
                .bind(address()).sync().channel();
        FailingCalls.on(server.eventLoop(), "accept4", Errno.ENOBUFS);
        try (RawSocket client = RawSocket.of(SocketType.STREAM)) {
            assertEquals(0, client.connect(address().bytes()));
            inbox.take(IOException.class);
            while (of(server).acceptErrors() < 3) {
                ChannelPair.settle(server);
            }
            assertTrue(of(server).readRetries() >= 2);
            assertEquals(0, of(server).acceptedConnections());
        }
        server.close().sync();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }

    @EnabledOnOs(OS.LINUX)
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void repeatedConnectsAreCounted(SocketType type) throws Exception {
        try (FullBacklog backlog = new FullBacklog(type, folder.resolve("app.sock"))) {
            ChannelFuture connect = Channels.client(type, new RecordingHandler()).connect(address());
            while (of(connect.channel()).connectRetries() < 2) {
                ChannelPair.settle(connect.channel());
            }
            backlog.acceptAll();
            connect.sync();
            connect.channel().close().sync();
        }
    }

    @Test
    @Tag("once")
    @EnabledOnOs(OS.LINUX)
    void repeatedWritesAreCounted() throws Exception {
        EventLoopGroup group = Loops.newGroup(1);
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).start(group)) {
            FailingCalls.on(pair.sender.eventLoop(), "sendmsg", Errno.ETOOMANYREFS);
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(1)));
            while (of(pair.sender).writeRetries() < 2) {
                ChannelPair.settle(pair.sender);
            }
            assertSent(pair.sender, 0, 0, 0);
        }
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }

    @EachType
    void eventLoopSumsUpItsChannelsAlsoWhenTheyAreClosed(SocketType type) throws Exception {
        EventLoopGroup group = Loops.newGroup(1);
        EventLoop loop = group.next();
        assertEquals(0, UnixTransport.metrics(loop).messagesSent());
        for (int i = 1; i <= 2; i++) {
            try (ChannelPair pair = withDescriptors(type).start(group)) {
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("hello"), Descriptors.some(2))).sync();
                assertEquals("hello", pair.text());
                assertSent(pair.sender, 1, 5, 2);
            }
            UnixMetrics sums = UnixTransport.metrics(loop);
            assertEquals(i, sums.messagesSent());
            assertEquals(i, sums.messagesReceived());
            assertEquals(5L * i, sums.bytesSent());
            assertEquals(5L * i, sums.bytesReceived());
            assertEquals(2L * i, sums.fileDescriptorsSent());
            assertEquals(2L * i, sums.fileDescriptorsReceived());
        }
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        assertEquals(2, UnixTransport.metrics(loop).messagesSent());
    }

    @EachType
    void channelThatMovesIsCountedByEachLoopForItsTime(SocketType type) throws Exception {
        EventLoopGroup first = Loops.newGroup(1);
        EventLoopGroup second = Loops.newGroup(1);
        try (ChannelPair pair = ChannelPair.of(type).start(first)) {
            pair.send("first").sync();
            assertEquals("first", pair.text());
            pair.sender.deregister().sync();
            second.register(pair.sender).sync();
            pair.send("second").sync();
            assertEquals("second", pair.text());
            assertSent(pair.sender, 2, 11, 0);
            assertEquals(5, UnixTransport.metrics(first.next()).bytesSent());
            assertEquals(6, UnixTransport.metrics(second.next()).bytesSent());
            assertEquals(11, UnixTransport.metrics(first.next()).bytesReceived());
        }
        first.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        second.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }
}
