package io.github.nettyunix;

import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.ArrayList;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A channel that is deregistered and registered with another loop loses nothing on the way. */
@ExtendWith(NothingLeft.class)
class ReregistrationTest {
    private static void deregister(Channel channel) throws InterruptedException {
        channel.deregister().sync();
        assertFalse(channel.isRegistered());
        assertTrue(channel.isOpen());
    }

    /** Registers with another loop than it was. */
    private static void registerElsewhere(Channel channel) throws InterruptedException {
        EventLoop before = channel.eventLoop();
        EventLoop next;
        do {
            next = Loops.group().next();
        } while (next == before);
        next.register(channel).sync();
        assertNotSame(before, channel.eventLoop());
    }

    @EachType
    void whatArrivesMeanwhileIsReadOnTheNextLoop(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            for (int round = 0; round < 5; round++) {
                ends.sender.writeAndFlush(new UnixMessage(Ends.buffer("before " + round), Descriptors.some(1))).sync();
                assertEquals("before " + round, ends.text());
                deregister(ends.receiver);
                ends.sender.writeAndFlush(new UnixMessage(Ends.buffer("meanwhile " + round), Descriptors.some(1))).sync();
                assertTrue(ends.inbox.isEmpty());
                registerElsewhere(ends.receiver);
                UnixMessage message = ends.inbox.take(UnixMessage.class);
                assertEquals("file 0", Descriptors.text(message.fileDescriptors().get(0)));
                assertEquals("meanwhile " + round, Ends.text(message));
            }
        }
        Proof.of("itself", "a " + type + " channel moves between event loops and loses no message");
    }

    @EachType
    void writesThatWaitForRoomGoOnOnTheNextLoop(SocketType type) throws Exception {
        int size = 10_000;
        try (Ends ends = Ends.of(type).with(ChannelOption.AUTO_READ, false)
                .with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            List<ChannelFuture> writes = new ArrayList<>();
            do {
                writes.add(ends.sender.writeAndFlush(new UnixMessage(Unpooled.buffer(size).writeZero(size),
                        Descriptors.some(1))));
                Ends.settle(ends.sender);
            } while (ends.sender.isWritable());
            ChannelFuture last = writes.get(writes.size() - 1);
            assertFalse(last.isDone());
            deregister(ends.sender);
            // The room that comes meanwhile is noticed later.
            ends.receiver.config().setAutoRead(true);
            int fds = 0;
            int bytes = 0;
            for (boolean moved = false; bytes < writes.size() * size;) {
                UnixMessage message = ends.inbox.take(UnixMessage.class);
                fds += message.fileDescriptors().size();
                bytes += message.content().readableBytes();
                message.release();
                if (!moved) {
                    moved = true;
                    registerElsewhere(ends.sender);
                }
            }
            last.sync();
            assertEquals(writes.size(), fds);
            assertTrue(writes.stream().allMatch(ChannelFuture::isSuccess));
        }
        Proof.of("itself", "the pending writes of a " + type + " channel move to another event loop with it");
    }

    @EachType({SocketType.STREAM, SocketType.SEQPACKET})
    void aPeersCloseMeanwhileIsNoticedOnTheNextLoop(SocketType type) throws Exception {
        try (Ends ends = Ends.started(type)) {
            deregister(ends.receiver);
            ends.send("last words").sync();
            ends.sender.close().sync();
            assertTrue(ends.receiver.isActive());
            registerElsewhere(ends.receiver);
            assertEquals("last words", ends.text());
            ends.receiver.closeFuture().sync();
        }
    }

    @EachType
    void aDeregisteredChannelCanBeClosed(SocketType type) throws Exception {
        try (Ends ends = Ends.started(type)) {
            deregister(ends.receiver);
            ends.receiver.close().sync();
            assertFalse(ends.receiver.isOpen());
        }
    }
}
