package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.internal.ChannelCore;
import io.github.nettyunix.internal.write.ChannelWriter;
import io.github.nettyunix.testing.Buffers;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import org.junit.jupiter.api.extension.ExtendWith;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Closing during other operations: every promise completes, and nothing is left. */
@ExtendWith(LeakCheckExtension.class)
class CloseTest {
    private static final int SIZE = 10_000;
    private static final long TIMEOUT_SECONDS = 10;

    private final Buffers buffers = new Buffers();

    private ByteBuf bytes() {
        return buffers.allocator().buffer(SIZE).writeZero(SIZE);
    }

    private ChannelPair pair(SocketType type) {
        return ChannelPair.of(type).with(ChannelOption.ALLOCATOR, buffers.allocator())
                .withSender(ChannelOption.ALLOCATOR, buffers.allocator());
    }

    /** Writes, with and without descriptors, until the kernel has no room left. */
    private List<ChannelFuture> fill(Channel channel, List<UnixFileDescriptor> fds)
            throws IOException, InterruptedException {
        List<ChannelFuture> writes = new ArrayList<>();
        while (channel.isWritable()) {
            UnixFileDescriptor fd = Descriptors.some(1)[0];
            fds.add(fd);
            writes.add(channel.write(new UnixMessage(bytes(), fd)));
            writes.add(channel.writeAndFlush(bytes()));
            ChannelPair.settle(channel);
        }
        return writes;
    }

    @EachType
    void closeFailsTheWritesThatThePeerHasNotMadeRoomFor(SocketType type) throws Exception {
        try (ChannelPair pair = pair(type).with(ChannelOption.AUTO_READ, false).start()) {
            List<UnixFileDescriptor> fds = new ArrayList<>();
            List<ChannelFuture> writes = fill(pair.sender, fds);
            assertFalse(writes.get(writes.size() - 1).isDone());
            pair.sender.close().sync();
            // The promises of writes complete after the promise of the close.
            ChannelPair.settle(pair.sender);
            boolean failed = false;
            for (ChannelFuture write : writes) {
                assertTrue(write.isDone());
                assertTrue(write.isSuccess() || write.cause() instanceof IOException, () -> "" + write.cause());
                // In order: after one that failed, none succeeded.
                assertFalse(failed && write.isSuccess());
                failed |= !write.isSuccess();
            }
            assertTrue(failed);
            assertEquals(0, Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0])));
        }
        buffers.assertAllReleased();
        Evidence.of("itself", "closing a " + type + " channel fails what it has not sent, and releases it");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void peerThatClosesFailsTheWritesThatItHasNotMadeRoomFor(SocketType type) throws Exception {
        try (ChannelPair pair = pair(type).with(ChannelOption.AUTO_READ, false).start()) {
            List<UnixFileDescriptor> fds = new ArrayList<>();
            List<ChannelFuture> writes = fill(pair.sender, fds);
            pair.receiver.close().sync();
            assertInstanceOf(IOException.class, ChannelPair.failure(writes.get(writes.size() - 1)));
            pair.sender.closeFuture().sync();
            ChannelPair.settle(pair.sender);
            assertEquals(0, Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0])));
        }
        buffers.assertAllReleased();
    }

    @EachType
    void closeEndsAReadThatWaits(SocketType type) throws Exception {
        try (ChannelPair pair = pair(type).with(ChannelOption.AUTO_READ, false).start()) {
            pair.receiver.read();
            ChannelPair.settle(pair.receiver);
            pair.receiver.close().sync();
            assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            assertTrue(pair.inbox.isEmpty());
        }
        buffers.assertAllReleased();
    }

    /** The other messages of its batch have been sent too, or fail. */
    @EachType
    void listenerOfAWriteMayCloseTheChannel(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(6);
        try (ChannelPair pair = pair(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            List<ChannelFuture> writes = new ArrayList<>();
            Channel sender = pair.sender;
            sender.eventLoop().submit(() -> {
                for (UnixFileDescriptor fd : fds) {
                    writes.add(sender.write(new UnixMessage(bytes(), fd)));
                }
                writes.get(2).addListener(sent -> sender.close());
                // As a flush does, which ignores an exception once the channel is closed.
                ChannelOutboundBuffer flushed = sender.unsafe().outboundBuffer();
                flushed.addFlush();
                ChannelWriter writer = ((ChannelCore) sender.unsafe()).writer();
                writer.flushed();
                writer.write(flushed, Integer.MAX_VALUE);
                return null;
            }).sync();
            sender.closeFuture().sync();
            ChannelPair.settle(sender);
            for (ChannelFuture write : writes) {
                assertTrue(write.isSuccess() || write.cause() instanceof ClosedChannelException,
                        () -> "" + write.cause());
            }
            for (ChannelFuture write : writes.subList(0, 3)) {
                assertTrue(write.isSuccess());
            }
            assertEquals(0, Descriptors.countOpen(fds));
            assertTrue(pair.senderInbox.take() == RecordingHandler.INACTIVE && pair.senderInbox.isEmpty());
        }
        buffers.assertAllReleased();
        Evidence.of("itself", "a " + type + " channel may be closed by the listener of a write among others");
    }

    /** Both ends write and read as fast as possible while other threads close them. */
    @EachType
    void manyThreadsMayCloseAChannelThatIsAtWork(SocketType type) throws Exception {
        int rounds = 50;
        int closers = 3;
        ExecutorService threads = Executors.newFixedThreadPool(closers);
        try {
            for (int round = 0; round < rounds; round++) {
                CountDownLatch atWork = new CountDownLatch(10);
                ChannelPair pair = pair(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(new Echo(atWork));
                pair.sender.pipeline().addFirst(new Echo(atWork));
                for (int i = 0; i < 20; i++) {
                    pair.sender.write(new UnixMessage(bytes(), Descriptors.some(1)));
                }
                pair.sender.flush();
                assertTrue(atWork.await(TIMEOUT_SECONDS, TimeUnit.SECONDS), "nothing arrives");
                CyclicBarrier together = new CyclicBarrier(closers);
                List<Future<ChannelFuture>> closes = new ArrayList<>();
                for (int i = 0; i < closers; i++) {
                    Channel channel = i % 2 == 0 ? pair.receiver : pair.sender;
                    closes.add(threads.submit(() -> {
                        together.await();
                        return channel.close();
                    }));
                }
                for (Future<ChannelFuture> close : closes) {
                    close.get().sync();
                }
                pair.close();
            }
        } finally {
            threads.shutdown();
            assertTrue(threads.awaitTermination(TIMEOUT_SECONDS, TimeUnit.SECONDS));
        }
        buffers.assertAllReleased();
        Evidence.of("itself", "many threads close a " + type + " channel that reads and writes descriptors");
    }

    /** Sends back the bytes and descriptors that it gets. */
    private static final class Echo extends ChannelInboundHandlerAdapter {
        private final CountDownLatch messages;

        Echo(CountDownLatch messages) {
            this.messages = messages;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            messages.countDown();
            ctx.writeAndFlush(message instanceof UnixDatagramPacket packet
                    ? new UnixMessage(packet.content(), packet.fileDescriptors().toArray(new UnixFileDescriptor[0]))
                    : message);
        }
    }
}
