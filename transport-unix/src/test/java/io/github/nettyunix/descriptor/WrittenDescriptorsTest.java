package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixDatagramPacket;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.UnixSocketError;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.FileDescriptor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Writing a descriptor gives it away, whatever the outcome of the write. */
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class WrittenDescriptorsTest {
    @EachType
    void descriptorsOfAMessageAreClosedOnceTheKernelHasThem(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(3);
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("three"), fds)).sync();
            assertEquals(0, Descriptors.countOpen(fds));
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            assertEquals("file 2", Descriptors.text(message.fileDescriptors().get(2)));
            assertTrue(message.release());
            assertEquals(0, Descriptors.countOpen(message.fileDescriptors().toArray(new UnixFileDescriptor[0])));
        }
        Evidence.of("itself", "descriptors written to a " + type + " channel are closed once sent");
    }

    @EachType
    void retainKeepsADescriptorBeyondTheWrite(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(2);
        try (ChannelPair pair = ChannelPair.started(type)) {
            fds[0].retain();
            pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("kept"), fds)).sync();
            assertEquals("kept", pair.text());
            assertTrue(fds[0].isOpen());
            assertFalse(fds[1].isOpen());
            assertEquals("file 0", Descriptors.text(fds[0]));
            assertTrue(fds[0].release());
            assertFalse(fds[0].isOpen());
        }
    }

    @EachType
    void bareDescriptorIsGivenAwayToo(SocketType type) throws Exception {
        UnixFileDescriptor fd = Descriptors.some(1)[0];
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            pair.sender.writeAndFlush(fd).sync();
            assertFalse(fd.isOpen());
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            assertEquals(type == SocketType.STREAM ? 1 : 0, message.content().readableBytes());
            assertEquals("file 0", Descriptors.text(message.fileDescriptors().get(0)));
            message.release();
        }
    }

    @EachType
    void plainDescriptorStaysTheCallers(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            FileDescriptor fd = FileDescriptor.from("/dev/zero");
            pair.sender.writeAndFlush(fd).sync();
            assertTrue(fd.isOpen());
            UnixMessage message = pair.inbox.take(UnixMessage.class);
            assertEquals(1, message.fileDescriptors().size());
            message.release();
            assertTrue(fd.isOpen());
            fd.close();

            Throwable refused = ChannelPair.failure(pair.sender.writeAndFlush(fd));
            assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, refused).errnoName());
            assertTrue(pair.sender.isActive());
        }
        Evidence.of("itself", "a plain Netty FileDescriptor written to a " + type + " channel stays the caller's");
    }

    @EachType
    void refusedMessagesCloseTheirDescriptorsAndTheChannelLivesOn(SocketType type) throws Exception {
        try (ChannelPair pair = ChannelPair.started(type)) {
            UnixFileDescriptor[] many = Descriptors.some(UnixMessage.MAX_FILE_DESCRIPTORS + 1);
            Throwable tooMany = ChannelPair.failure(
                    pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), many)));
            assertEquals("EINVAL", assertInstanceOf(UnixSocketError.class, tooMany).errnoName());
            assertTrue(tooMany.getMessage().contains("254") && tooMany.getMessage().contains("253"),
                    tooMany.getMessage());
            assertEquals(0, Descriptors.countOpen(many));

            UnixFileDescriptor[] oneClosed = Descriptors.some(3);
            oneClosed[1].close();
            Throwable closed = ChannelPair.failure(
                    pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), oneClosed)));
            assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, closed).errnoName());
            assertEquals(0, Descriptors.countOpen(oneClosed));

            assertInstanceOf(UnsupportedOperationException.class,
                    ChannelPair.failure(pair.sender.writeAndFlush("text")));

            pair.send("alive").sync();
            assertEquals("alive", pair.text());
        }
        Evidence.of("itself", "a " + type + " channel that refuses a message closes its descriptors and lives on");
    }

    @Test
    void streamRefusesDescriptorsWithoutAByte() throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(2);
        try (ChannelPair pair = ChannelPair.started(SocketType.STREAM)) {
            Throwable refused = ChannelPair.failure(
                    pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer(""), fds)));
            assertEquals("EINVAL", assertInstanceOf(UnixSocketError.class, refused).errnoName());
            assertEquals(0, Descriptors.countOpen(fds));
            pair.send("alive").sync();
            assertEquals("alive", pair.text());
        }
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void packetWithARecipientIsRefusedByConnections(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(1);
        try (ChannelPair pair = ChannelPair.started(type)) {
            UnixDatagramPacket packet =
                    new UnixDatagramPacket(ChannelPair.buffer("x"), UnixSocketAddress.of("/nowhere"), fds);
            assertInstanceOf(UnsupportedOperationException.class,
                    ChannelPair.failure(pair.sender.writeAndFlush(packet)));
            assertEquals(0, Descriptors.countOpen(fds));
        }
    }

    @EachType
    void descriptorClosedBetweenWriteAndFlushIsNotSent(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(2);
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            ChannelFuture before = pair.sender.write(ChannelPair.buffer("before"));
            ChannelFuture message = pair.sender.write(new UnixMessage(ChannelPair.buffer("never"), fds));
            ChannelFuture bare = pair.sender.write(Descriptors.some(1)[0]);
            ChannelFuture after = pair.sender.write(ChannelPair.buffer("after"));
            ChannelPair.settle(pair.sender);
            fds[0].close();
            // Another file then has the number and must not be sent; a file that the JVM opens for itself may take the
            // number first.
            UnixFileDescriptor other;
            while ((other = Descriptors.some(1)[0]).intValue() != fds[0].intValue()) {
                other.release();
            }
            pair.sender.flush();
            before.sync();
            if (type == SocketType.STREAM) {
                // What follows must not take its place.
                ChannelPair.failure(bare);
                ChannelPair.failure(after);
            } else {
                bare.sync();
                after.sync();
            }
            assertEquals("EBADF", assertInstanceOf(UnixSocketError.class, ChannelPair.failure(message)).errnoName());
            assertEquals(0, Descriptors.countOpen(fds));
            assertEquals("file 0", Descriptors.text(other));
            other.release();
            StringBuilder arrived = new StringBuilder();
            for (Object next; arrived.indexOf("after") < 0
                    && (next = pair.inbox.take()) != RecordingHandler.INACTIVE;) {
                arrived.append(ChannelPair.text(next));
            }
            assertEquals(type == SocketType.STREAM ? "before" : "beforeafter", arrived.toString());
        }
        Evidence.of("itself", "a descriptor closed before the flush is not sent on a " + type + " channel");
    }

    @EachType
    void peerThatIsGoneFailsTheWriteAndClosesItsDescriptors(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(4);
        try (ChannelPair pair = ChannelPair.of(type).start()) {
            CountDownLatch closed = new CountDownLatch(1);
            pair.receiver.closeFuture().addListener(future -> closed.countDown());
            // In one task; otherwise the sender could notice that its peer is gone, and close, before it writes.
            List<ChannelFuture> writes = pair.sender.eventLoop().submit(() -> {
                pair.receiver.close();
                closed.await();
                return List.of(pair.sender.write(new UnixMessage(ChannelPair.buffer("x"), fds[0], fds[1])),
                        pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("y"), fds[2], fds[3])));
            }).get();
            ChannelFuture first = writes.get(0);
            ChannelFuture second = writes.get(1);
            UnixSocketError error = assertInstanceOf(UnixSocketError.class, ChannelPair.failure(first));
            assertEquals("write", error.operation());
            assertEquals(type, error.socketType());
            if (type == SocketType.DATAGRAM) {
                assertTrue(pair.sender.isActive());
            } else {
                assertEquals("EPIPE", error.errnoName());
            }
            ChannelPair.failure(second);
            assertEquals(0, Descriptors.countOpen(fds));
        }
    }

    @EachType
    void closeReleasesWhatWasNotFlushed(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(3);
        try (ChannelPair pair = ChannelPair.started(type)) {
            ChannelFuture message = pair.sender.write(new UnixMessage(ChannelPair.buffer("x"), fds[0], fds[1]));
            ChannelFuture bare = pair.sender.write(fds[2]);
            ChannelPair.settle(pair.sender);
            assertEquals(3, Descriptors.countOpen(fds));
            pair.sender.close().sync();
            assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(message));
            assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(bare));
            assertEquals(0, Descriptors.countOpen(fds));
        }
        Evidence.of("itself", "a closed " + type + " channel closes the descriptors of messages that were not flushed");
    }

    @EachType
    void closeReleasesWhatTheKernelHadNoRoomFor(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(200);
        try (ChannelPair pair = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.SO_SNDBUF, 8192)
                .start()) {
            List<ChannelFuture> writes = new ArrayList<>();
            for (UnixFileDescriptor fd : fds) {
                writes.add(pair.sender.write(new UnixMessage(ChannelPair.buffer("x".repeat(1000)), fd)));
            }
            pair.sender.flush();
            ChannelPair.settle(pair.sender);
            writes.get(0).sync();
            int unsent = Descriptors.countOpen(fds);
            assertTrue(unsent > 0 && unsent < fds.length, "unsent: " + unsent);
            pair.sender.close().sync();
            assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(writes.get(fds.length - 1)));
            assertEquals(0, Descriptors.countOpen(fds));
            assertEquals(unsent, writes.stream().filter(write -> !write.isSuccess()).count());
        }
        Evidence.of("itself", "a closed " + type + " channel closes the descriptors that the kernel had no room for");
    }

    @EachType
    void writeToAClosedChannelClosesTheDescriptors(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(3);
        ChannelPair pair = ChannelPair.started(type);
        pair.close();
        ChannelFuture message = pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), fds[0], fds[1]));
        assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(message));
        assertInstanceOf(ClosedChannelException.class, ChannelPair.failure(pair.sender.writeAndFlush(fds[2])));
        assertEquals(0, Descriptors.countOpen(fds));
        assertThrows(IllegalStateException.class, fds[2]::detach);
    }
}
