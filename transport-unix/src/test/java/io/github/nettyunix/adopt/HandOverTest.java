package io.github.nettyunix.adopt;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixErrno;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.process.ChildProcess;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A channel's socket is handed to another owner, and nothing on its way is lost. */
@ExtendWith(LeakCheckExtension.class)
class HandOverTest {
    @TempDir
    Path folder;

    /** Starts the hand-over when the given message passes. */
    private static final class Leaving extends ChannelInboundHandlerAdapter {
        final CompletableFuture<UnixFileDescriptor> left = new CompletableFuture<>();
        private final int last;
        private int seen;

        Leaving(int last) {
            this.last = last;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (++seen == last) {
                UnixTransport.handOver(ctx.channel()).addListener((Future<UnixFileDescriptor> future) -> {
                    if (future.isSuccess()) {
                        left.complete(future.getNow());
                    } else {
                        left.completeExceptionally(future.cause());
                    }
                });
            }
            ctx.fireChannelRead(message);
            // A handler's attempts to read more have no effect any more.
            ctx.read();
        }
    }

    private static UnixFileDescriptor get(CompletableFuture<UnixFileDescriptor> future) throws Exception {
        return future.get(10, TimeUnit.SECONDS);
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aChannelWhoseOutputHasEndedCanBeHandedOver(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false).start()) {
            pair.sender.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
            ((DuplexChannel) pair.receiver).shutdownOutput().sync();
            UnixFileDescriptor fd = UnixTransport.handOver(pair.receiver).get(10, TimeUnit.SECONDS);
            pair.receiver.closeFuture().sync();
            Channel successor = UnixTransport.adopt(fd);
            RecordingHandler inbox = new RecordingHandler();
            Channels.register(successor, inbox);
            pair.send("for the successor").sync();
            assertEquals("for the successor", Content.text(Content.take(inbox.take())));
            successor.close().sync();
        }
        Evidence.of("itself", "a " + type + " connection whose output has ended is handed over");
    }

    @EachType
    void whatABatchHasTakenIsDeliveredAndTheRestIsLeftToTheNewOwner(SocketType type) throws Exception {
        // A stream may arrive in one piece.
        Leaving leaving = new Leaving(type == SocketType.STREAM ? 1 : 3);
        int count = 40;
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false).start(leaving)) {
            for (int i = 0; i < count; i++) {
                pair.sender.write(Unpooled.directBuffer(4).writeInt(i));
            }
            pair.sender.flush();
            ChannelPair.settle(pair.sender);
            pair.receiver.config().setAutoRead(true);
            UnixFileDescriptor fd = get(leaving.left);
            pair.receiver.closeFuture().sync();
            RecordingHandler inbox = new RecordingHandler();
            Channel successor = UnixTransport.adopt(fd);
            Channels.register(successor, inbox);
            pair.sender.writeAndFlush(Unpooled.directBuffer(4).writeInt(count)).sync();
            int next = 0;
            boolean inactive = false;
            while (next <= count) {
                Object message = inactive ? inbox.take() : pair.inbox.take();
                if (message == RecordingHandler.INACTIVE) {
                    assertFalse(inactive, "nothing more comes after " + next);
                    inactive = true;
                    continue;
                }
                var content = message instanceof ByteBufHolder holder ? holder.content()
                        : (ByteBuf) message;
                while (content.isReadable()) {
                    assertEquals(next++, content.readInt());
                }
                content.release();
            }
            assertTrue(inactive && pair.sender.isActive());
            successor.close().sync();
        }
        Evidence.of("itself", "a " + type + " channel is handed over in the middle of a batch, and no message is "
                + "lost or doubled");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void whatWasFlushedIsWrittenBefore(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false).start()) {
            int size = 10_000;
            int count = 100;
            ChannelFuture written = null;
            for (int i = 0; i < count; i++) {
                written = pair.receiver.writeAndFlush(Unpooled.directBuffer(size).writeZero(size));
            }
            ChannelFuture unflushed = pair.receiver.write(ChannelPair.buffer("never flushed"));
            Future<UnixFileDescriptor> left = UnixTransport.handOver(pair.receiver);
            ChannelPair.settle(pair.receiver);
            assertFalse(left.isDone() || written.isDone());
            pair.sender.config().setAutoRead(true);
            written.sync();
            UnixFileDescriptor fd = left.sync().getNow();
            assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(unflushed));
            fd.release();
            for (int got = 0; got < size * count;) {
                Object message = pair.senderInbox.take();
                got += ((ByteBuf) message).readableBytes();
                ((ByteBuf) message).release();
            }
        }
    }

    /** A part of a message would break the stream for the new owner. */
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void nothingIsWrittenOnceTheSocketHasANewOwner(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start()) {
            CompletableFuture<ChannelFuture> late = new CompletableFuture<>();
            Future<UnixFileDescriptor> left = pair.receiver.eventLoop().submit(() -> {
                Future<UnixFileDescriptor> requested = UnixTransport.handOver(pair.receiver);
                requested.addListener(done -> late.complete(
                        pair.receiver.writeAndFlush(ChannelPair.buffer("too late"))));
                return requested;
            }).sync().getNow();
            UnixFileDescriptor fd = left.get(10, TimeUnit.SECONDS);
            assertInstanceOf(ClosedChannelException.class,
                    ChannelPair.failure(late.get(10, TimeUnit.SECONDS)));
            Channel successor = UnixTransport.adopt(fd);
            Channels.register(successor, new RecordingHandler());
            successor.writeAndFlush(ChannelPair.buffer("from the successor")).sync();
            assertEquals("from the successor", ChannelPair.text(pair.senderInbox.take()));
            successor.close().sync();
        }
    }

    /** What the peer has sent must not be divided between two owners: this channel reads it to the end. */
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void channelWhoseWriteFailsKeepsItsSocket(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false).start()) {
            ChannelFuture written = fillQueue(pair.receiver);
            Future<UnixFileDescriptor> left = UnixTransport.handOver(pair.receiver);
            ChannelPair.settle(pair.receiver);
            assertFalse(left.isDone());
            pair.send("last words").sync();
            pair.sender.close().sync();
            Throwable cause = assertInstanceOf(ClosedChannelException.class, left.await().cause());
            assertSame(ChannelPair.failure(written), cause.getCause());
            assertSame(ChannelOutputShutdownEvent.INSTANCE, pair.inbox.take());
            assertEquals("last words", pair.text());
            pair.receiver.closeFuture().sync();
        }
        Evidence.of("itself",
                "a " + type + " channel whose write fails is not handed over, and reads what has arrived");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void channelThatEndsAfterAFailedWriteCannotBeHandedOver(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start()) {
            ((DuplexChannel) pair.sender).shutdownInput().sync();
            Future<UnixFileDescriptor> left = pair.receiver.eventLoop().submit(() -> {
                ChannelFuture written = pair.receiver.writeAndFlush(ChannelPair.buffer("for nobody"));
                assertFalse(written.isSuccess());
                return UnixTransport.handOver(pair.receiver);
            }).sync().getNow();
            assertInstanceOf(ClosedChannelException.class, left.await().cause());
            pair.receiver.closeFuture().sync();
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void channelThatStaysOpenAfterAFailedWriteIsHandedOver(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false)
                .with(ChannelOption.AUTO_CLOSE, false).start()) {
            ChannelFuture written = fillQueue(pair.receiver);
            Future<UnixFileDescriptor> left = UnixTransport.handOver(pair.receiver);
            ChannelPair.settle(pair.receiver);
            pair.send("for the successor").sync();
            pair.sender.close().sync();
            UnixFileDescriptor fd = left.get(10, TimeUnit.SECONDS);
            assertFalse(written.isSuccess());
            pair.receiver.closeFuture().sync();
            RecordingHandler inbox = new RecordingHandler();
            Channel successor = UnixTransport.adopt(fd);
            Channels.register(successor, inbox);
            assertEquals("for the successor", Content.text(Content.take(inbox.take())));
            successor.close().sync();
        }
    }

    /** The kernel reports a reset once, and before the records: the new owner would take it for an orderly end. */
    @EachType(SocketType.SEQPACKET)
    void channelThatWasResetKeepsItsSocket(SocketType type) throws Exception {
        Leaving leaving = new Leaving(1);
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.AUTO_READ, false).start(leaving)) {
            pair.receiver.writeAndFlush(ChannelPair.buffer("never read")).sync();
            for (String text : List.of("first", "second", "third")) {
                pair.send(text).sync();
            }
            pair.sender.close().sync();
            pair.receiver.config().setAutoRead(true);
            ExecutionException failure = assertThrows(ExecutionException.class, () -> get(leaving.left));
            Throwable cause = assertInstanceOf(ClosedChannelException.class, failure.getCause());
            for (String text : List.of("first", "second", "third")) {
                assertEquals(text, pair.text());
            }
            UnixSocketError reset = (UnixSocketError) pair.inbox.take(IOException.class);
            assertEquals(UnixErrno.ECONNRESET, reset.error());
            assertSame(reset, cause.getCause());
            pair.receiver.closeFuture().sync();
        }
        Evidence.of("itself", "a " + type + " channel whose peer has reset the connection is not handed over");
    }

    /** Returns the future of the last write. */
    private static ChannelFuture fillQueue(Channel channel) {
        ChannelFuture written = null;
        for (int i = 0; i < 100; i++) {
            written = channel.writeAndFlush(Unpooled.directBuffer(10_000).writeZero(10_000));
        }
        return written;
    }

    @EachType
    void cancelledHandOverLeavesTheChannelAsItWas(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start()) {
            pair.receiver.eventLoop().submit(() -> {
                Future<UnixFileDescriptor> first = UnixTransport.handOver(pair.receiver);
                Future<UnixFileDescriptor> second = UnixTransport.handOver(pair.receiver);
                assertTrue(first.cancel(false));
                second.addListener(done -> assertInstanceOf(IllegalStateException.class, done.cause()));
            }).sync();
            pair.send("still here").sync();
            assertEquals("still here", pair.text());
            assertTrue(pair.receiver.config().isAutoRead());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void handOverThatIsCancelledWhileItWaitsLeavesTheChannelReading(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false)
                .with(ChannelOption.AUTO_READ, false)
                .start()) {
            pair.receiver.read();
            ChannelFuture written = fillQueue(pair.receiver);
            Future<UnixFileDescriptor> left = UnixTransport.handOver(pair.receiver);
            ChannelPair.settle(pair.receiver);
            assertTrue(left.cancel(false));
            ChannelPair.settle(pair.receiver);
            pair.send("still asked for").sync();
            assertEquals("still asked for", pair.text());
            pair.sender.config().setAutoRead(true);
            written.sync();
        }
    }

    /** The first turns auto-read on, the second one requests a read, while the channel does not read. */
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void whatIsRequestedDuringAHandOverIsReadIfItIsCancelled(SocketType type) throws Exception {
        for (boolean autoRead : List.of(true, false)) {
            try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false)
                    .with(ChannelOption.AUTO_READ, false).start()) {
                fillQueue(pair.receiver);
                Future<UnixFileDescriptor> left = UnixTransport.handOver(pair.receiver);
                ChannelPair.settle(pair.receiver);
                if (autoRead) {
                    pair.receiver.config().setAutoRead(true);
                } else {
                    pair.receiver.read();
                }
                ChannelPair.settle(pair.receiver);
                assertTrue(left.cancel(false));
                pair.send("asked for meanwhile").sync();
                assertEquals("asked for meanwhile", pair.text());
                assertEquals(autoRead, pair.receiver.config().isAutoRead());
            }
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void theEndDuringAHandOverIsReportedIfItIsCancelled(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).withSender(ChannelOption.AUTO_READ, false)
                .with(ChannelOption.AUTO_READ, false).with(ChannelOption.ALLOW_HALF_CLOSURE, true).start()) {
            fillQueue(pair.receiver);
            Future<UnixFileDescriptor> left = UnixTransport.handOver(pair.receiver);
            ChannelPair.settle(pair.receiver);
            ((DuplexChannel) pair.sender).shutdownOutput().sync();
            ChannelPair.settle(pair.receiver);
            assertTrue(left.cancel(false));
            assertSame(ChannelInputShutdownEvent.INSTANCE, pair.inbox.take());
        }
    }

    @EachType
    void channelThatMovesToAnotherLoopStaysAsItWas(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).start()) {
            CompletableFuture<Void> moved = new CompletableFuture<>();
            Future<UnixFileDescriptor> left = pair.receiver.eventLoop().submit(() -> {
                pair.receiver.deregister();
                Future<UnixFileDescriptor> requested = UnixTransport.handOver(pair.receiver);
                requested.addListener(done -> pair.sender.eventLoop().register(pair.receiver)
                        .addListener(registered -> moved.complete(null)));
                return requested;
            }).sync().getNow();
            assertInstanceOf(IllegalStateException.class, left.await().cause());
            moved.get(10, TimeUnit.SECONDS);
            pair.send("still here").sync();
            assertEquals("still here", pair.text());
            assertTrue(pair.receiver.config().isAutoRead());
        }
    }

    @EachType({SocketType.SEQPACKET, SocketType.DATAGRAM})
    void channelBetweenTwoLoopsKeepsWhatItHasRead(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .start(new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        ctx.channel().config().setAutoRead(false);
                        ctx.fireChannelRead(message);
                    }
                })) {
            pair.send("first").sync();
            pair.send("of the same batch").sync();
            pair.receiver.config().setAutoRead(true);
            assertEquals("first", pair.text());
            pair.receiver.deregister().sync();
            assertInstanceOf(IllegalStateException.class, UnixTransport.handOver(pair.receiver).await().cause());
            pair.sender.eventLoop().register(pair.receiver).sync();
            pair.receiver.read();
            assertEquals("of the same batch", pair.text());
        }
    }

    @EachType
    void closedChannelCannotBeHandedOver(SocketType type) throws Exception {
        ChannelPair pair = ChannelPair.of(type).start();
        pair.close();
        assertInstanceOf(ClosedChannelException.class, UnixTransport.handOver(pair.receiver).await().cause());
        EmbeddedChannel other = new EmbeddedChannel();
        assertThrows(IllegalArgumentException.class, () -> UnixTransport.handOver(other));
        other.close();
    }

    @EachType
    void socketFileStays(SocketType type) throws Exception {
        Path path = folder.resolve("socket");
        Channel server = Channels.register(Channels.newBindable(type), new RecordingHandler());
        server.bind(UnixSocketAddress.of(path)).sync();
        UnixFileDescriptor fd = UnixTransport.handOver(server).sync().getNow();
        server.closeFuture().sync();
        assertTrue(Files.exists(path));
        fd.release();
    }

    /** A listener takes the rest that the decoder holds out of the pipeline. */
    @Test
    void theBeginningOfALineIsHandedToTheNewOwner() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).start(new LineBasedFrameDecoder(100))) {
            pair.send("a line\nthe beginning of").sync();
            assertEquals("a line", pair.text());
            UnixFileDescriptor fd = pair.receiver.eventLoop().submit(() -> {
                Future<UnixFileDescriptor> left = UnixTransport.handOver(pair.receiver);
                left.addListener(done -> pair.receiver.pipeline().remove(LineBasedFrameDecoder.class));
                return left;
            }).sync().getNow().sync().getNow();
            assertEquals("the beginning of", pair.text());
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            fd.release();
        }
    }

    /** Like a supervisor that reads the first record of a request and starts a program for the rest. */
    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void childProcessReadsOnWhereTheHandlersHaveStopped(SocketType type) throws Exception {
        Leaving leaving = new Leaving(1);
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false).start(leaving)) {
            pair.send("for the channel").sync();
            pair.receiver.config().setAutoRead(true);
            assertEquals("for the channel", pair.text());
            UnixFileDescriptor fd = get(leaving.left);
            pair.send("for the child").sync();
            fd.setBlocking(true);
            ChildProcess child = ChildProcess.start(List.of("python3", "-c", """
                    import socket
                    sock = socket.socket(fileno=0)
                    sock.send(sock.recv(100) + b", says the child")
                    """), null, Map.of(0, fd));
            fd.release();
            assertEquals("for the child, says the child", ChannelPair.text(pair.senderInbox.take()));
            assertEquals(0, child.onExit().get(20, TimeUnit.SECONDS));
        }
        Evidence.of("CPython", "a child process gets a " + type + " connection of which a record was read before");
    }
}
