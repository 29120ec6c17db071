package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixStreamChannel;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A received descriptor belongs to the holder of its message, and is closed if nobody holds it. */
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class ReceivedDescriptorsTest {
    /** Passes messages on, and records the first one. */
    private static final class Window extends ChannelInboundHandlerAdapter {
        final CompletableFuture<UnixFileDescriptor> seen = new CompletableFuture<>();

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            UnixFileDescriptor fd = ((UnixMessage) message).fileDescriptors().get(0);
            ctx.fireChannelRead(message);
            seen.complete(fd);
        }

        UnixFileDescriptor get() throws Exception {
            return seen.get(10, TimeUnit.SECONDS);
        }
    }

    @EachType
    void pipelineTailClosesUntakenDescriptors(SocketType type) throws Exception {
        Window window = new Window();
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(window)) {
            pair.receiver.pipeline().remove(pair.inbox);
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(1))).sync();
            assertFalse(window.get().isOpen());
        }
        Evidence.of("itself", "the tail of a " + type + " channel's pipeline closes descriptors that nobody took");
    }

    @EachType
    void simpleHandlerClosesWhatItDidNotRetain(SocketType type) throws Exception {
        Window window = new Window();
        CompletableFuture<UnixFileDescriptor> kept = new CompletableFuture<>();
        SimpleChannelInboundHandler<UnixMessage> taker = new SimpleChannelInboundHandler<>() {
            @Override
            protected void channelRead0(ChannelHandlerContext ctx, UnixMessage message) {
                kept.complete(message.fileDescriptors().get(1).retain());
            }
        };
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(window, taker)) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(2))).sync();
            assertFalse(window.get().isOpen());
            assertTrue(kept.get().isOpen());
            assertEquals("file 1", Descriptors.text(kept.get()));
            assertTrue(kept.get().release());
            assertFalse(kept.get().isOpen());
        }
        Evidence.of("itself", "retain() keeps one descriptor of a received " + type
                + " message, the others are closed");
    }

    @EachType
    void unrequestedDescriptorsNeverEnterTheProcess(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            int before = Descriptors.open().size();
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(5))).sync();
            assertEquals("x", pair.text());
            assertEquals(before, Descriptors.open().size());
        }
        Evidence.of("itself", "a " + type + " channel without RECEIVE_CONTROL_DATA gets no descriptors");
    }

    @EachType
    void closeDropsWhatWasReceivedAndNotHandedOn(SocketType type) throws Exception {
        ChannelInboundHandlerAdapter closing = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.fireChannelRead(message);
                ctx.close();
            }
        };
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start(closing)) {
            for (int i = 0; i < 10; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("message " + i), Descriptors.some(2)));
            }
            pair.sender.flush();
            assertEquals("message 0", pair.text());
            pair.receiver.closeFuture().sync();
        }
        Evidence.of("itself", "a " + type + " channel closed in channelRead closes descriptors of the messages behind");
    }

    @EachType
    void messagesKeptFromAClosedChannelKeepTheirDescriptors(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(1))).sync();
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            pair.receiver.close().sync();
            assertEquals("file 0", Descriptors.text(message.fileDescriptors().get(0)));
            message.release();
        }
    }

    @EachType
    void messageClosesOnlyDescriptorsWithoutOtherReferences(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), Descriptors.some(8))).sync();
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            List<UnixFileDescriptor> fds = message.fileDescriptors();
            UnixFileDescriptor second = fds.get(1).retain();
            UnixFileDescriptor sixth = fds.get(5).retain();
            int closed = fds.get(7).intValue();
            fds.get(7).close();
            // The next file that gets the closed number stays open.
            List<UnixFileDescriptor> others = new ArrayList<>();
            do {
                others.add(Descriptors.some(1)[0]);
            } while (others.get(others.size() - 1).intValue() < closed);
            assertEquals(closed, others.get(others.size() - 1).intValue());
            message.release();
            assertEquals(2, Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0])));
            for (UnixFileDescriptor fd : fds) {
                assertEquals(fd == second || fd == sixth || fd == fds.get(7),
                        Descriptors.open().containsKey(fd.intValue()));
            }
            for (UnixFileDescriptor other : others) {
                assertEquals("file 0", Descriptors.text(other));
                other.release();
            }
            assertEquals("file 1", Descriptors.text(second));
            assertEquals("file 5", Descriptors.text(sixth));
            second.release();
            sixth.release();
        }
        Evidence.of("itself", "a " + type + " message closes its descriptors but those that somebody retained");
    }

    @Test
    void readerOfNettysDescriptorModeClosesThem() throws Exception {
        try (ChannelPair pair = ChannelPair.of(SocketType.STREAM).start()) {
            ((UnixStreamChannel) pair.receiver).config().setReadMode(DomainSocketReadMode.FILE_DESCRIPTORS);
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("ab"), Descriptors.some(2))).sync();
            FileDescriptor one = pair.inbox.take(FileDescriptor.class);
            FileDescriptor other = pair.inbox.take(FileDescriptor.class);
            assertFalse(one instanceof UnixFileDescriptor);
            assertTrue(one.isOpen() && other.isOpen());
            one.close();
            other.close();
        }
    }

    @EachType
    void unreadDescriptorsAreClosedWithTheSocket(SocketType type) throws Exception {
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .with(ChannelOption.AUTO_READ, false);
        try (ChannelPair pair = prepared.start()) {
            UnixFileDescriptor[] fds = Descriptors.some(3);
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), fds)).sync();
            assertEquals(0, Descriptors.countOpen(fds));
            assertTrue(pair.inbox.isEmpty());
        }
    }
}
