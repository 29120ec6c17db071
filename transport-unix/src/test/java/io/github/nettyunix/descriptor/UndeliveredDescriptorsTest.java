package io.github.nettyunix.descriptor;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.UnixTransport;
import io.github.nettyunix.handler.FileDescriptorLimitHandler;
import io.github.nettyunix.internal.read.InboundMessages;
import io.github.nettyunix.internal.socket.ReceiveBatch;
import io.github.nettyunix.internal.socket.SendBatch;
import io.github.nettyunix.internal.socket.UnixSocket;
import io.github.nettyunix.internal.write.DescriptorUses;
import io.github.nettyunix.internal.write.OutboundMessages;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Content;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.Loops;
import io.github.nettyunix.testing.OnlyWith;
import io.github.nettyunix.testing.Python;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.unix.FileDescriptor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Descriptors that were received but not yet delivered: they are few, and none is lost. */
@Tag("library")
@Tag("user")
@ExtendWith(LeakCheckExtension.class)
class UndeliveredDescriptorsTest {
    private static final int PER_MESSAGE = 60;
    private static final int MESSAGES = 10;

    @EachType
    void ofATrustedPeerNoMoreAreOpenThanOneMessageCanBring(SocketType type) throws Exception {
        UnixFileDescriptor fd = Content.labelled("sent many times");
        CountDownLatch trusted = new CountDownLatch(20);
        CountDownLatch all = new CountDownLatch(20 + MESSAGES);
        AtomicInteger most = new AtomicInteger();
        ChannelInboundHandlerAdapter counting = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (trusted.getCount() == 0) {
                    most.accumulateAndGet(Descriptors.open().size(), Math::max);
                }
                ((UnixMessage) message).release();
                trusted.countDown();
                all.countDown();
            }
        };
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .start(counting)) {
            for (int i = 0; i < 20; i++) {
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), many(fd))).sync();
            }
            trusted.await();
            pair.receiver.config().setAutoRead(false);
            for (int i = 0; i < MESSAGES; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("x"), many(fd)));
            }
            pair.sender.flush();
            ChannelPair.settle(pair.sender);
            int before = Descriptors.open().size();
            pair.receiver.config().setAutoRead(true);
            all.await();
            assertTrue(most.get() <= before + UnixSocket.MAX_FDS + PER_MESSAGE / 2, most + " were open, " + before
                    + " before that");
        }
        fd.release();
        Evidence.of("itself", "undelivered descriptors of a trusted " + type + " peer are no more than one message's");
    }

    private static UnixFileDescriptor[] many(UnixFileDescriptor fd) {
        UnixFileDescriptor[] fds = new UnixFileDescriptor[PER_MESSAGE];
        for (int i = 0; i < PER_MESSAGE; i++) {
            fds[i] = fd.retain();
        }
        return fds;
    }

    @EachType
    void ofOneMessageAtMostAreOpenBeforeItIsHandedOn(SocketType type) throws Exception {
        UnixFileDescriptor fd = Content.labelled("sent many times");
        CountDownLatch all = new CountDownLatch(MESSAGES);
        AtomicInteger most = new AtomicInteger();
        ChannelInboundHandlerAdapter counting = new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                most.accumulateAndGet(Descriptors.open().size(), Math::max);
                ((UnixMessage) message).release();
                all.countDown();
            }
        };
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .with(ChannelOption.AUTO_READ, false);
        try (ChannelPair pair = prepared.start(new FileDescriptorLimitHandler(PER_MESSAGE), counting)) {
            for (int i = 0; i < MESSAGES; i++) {
                pair.sender.write(new UnixMessage(ChannelPair.buffer("x"), many(fd)));
            }
            pair.sender.flush();
            ChannelPair.settle(pair.sender);
            int before = Descriptors.open().size();
            pair.receiver.config().setAutoRead(true);
            all.await();
            assertTrue(most.get() <= before + PER_MESSAGE + PER_MESSAGE / 2, most + " were open, " + before
                    + " before");
        }
        fd.release();
        Evidence.of("itself", "of the descriptors that a " + type
                + " peer has sent, one message's are open before a handler sees them");
    }

    /** The receiver, whose socket is its standard input; it closes what arrives at once. */
    static final class Receiver {
        private Receiver() {
        }

        public static void main(String[] arguments) throws Exception {
            Channel channel = UnixTransport.adopt(0);
            channel.config().setOption(UnixSocketOption.RECEIVE_CONTROL_DATA, true);
            int expected = Integer.parseInt(arguments[0]);
            CountDownLatch over = new CountDownLatch(1);
            Channels.register(channel, new ChannelInboundHandlerAdapter() {
                private int seen;

                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    ((UnixMessage) message).release();
                    if (++seen == expected) {
                        System.out.println("all");
                        over.countDown();
                    }
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    System.out.println(cause);
                }
            });
            over.await();
            System.exit(0);
        }
    }

    @EachType
    void processWithFewDescriptorsLosesNoMessageIfItClosesTheirs(SocketType type) throws Exception {
        int messages = 10;
        List<String> command = new ArrayList<>(List.of(type.toString(), Integer.toString(messages)));
        command.addAll(Jvm.command(Receiver.class, "-Dnettyunix.test.selector=" + Loops.selector()));
        command.add(Integer.toString(messages));
        try (Python python = Python.run("""
                import resource, subprocess
                kind, count = sys.argv[1], int(sys.argv[2])
                ours, theirs = socket.socketpair(socket.AF_UNIX, TYPES[kind])
                fds = [labelled("file")] * 100
                for _ in range(count):
                    send(ours, b"x", fds)
                receiver = subprocess.Popen(sys.argv[3:], stdin=theirs, stdout=subprocess.PIPE, text=True,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (250, 250)))
                theirs.close()
                found = receiver.stdout.readline().strip()
                assert found == "all", found
                assert receiver.wait() == 0
                print("done")
                """, command.toArray())) {
            python.expect("done");
            python.succeed();
        }
        Evidence.of("CPython", "a " + type + " receiver that has room for one message's descriptors loses none");
    }

    /** An invalid number makes the second of three owners fail. */
    @Test
    @OnlyWith(SocketType.SEQPACKET)
    void descriptorsAreClosedIfOneOfThemGetsNoOwner() throws Exception {
        int[] pair = new int[2];
        assertEquals(0, UnixSocket.newSocketPair(SocketType.SEQPACKET.ordinal(), pair));
        UnixSocket sender = new UnixSocket(pair[0]);
        UnixSocket receiver = new UnixSocket(pair[1]);
        UnixFileDescriptor fd = Content.labelled("sent");
        SendBatch out = SendBatch.current();
        UnixMessage sent = new UnixMessage(Unpooled.directBuffer(1).writeByte(1), fd, fd, fd);
        OutboundMessages.add(out, DescriptorUses.current(), sent, null, null);
        assertEquals(1, out.sendRecords(sender, 0));
        DescriptorUses.current().end(0);
        ReceiveBatch batch = ReceiveBatch.current();
        assertEquals(1, batch.receive(receiver, 1, 100, 253, ReceiveBatch.RECORDS | ReceiveBatch.CONTROL));
        assertEquals(3, batch.descriptorCount(0));
        new FileDescriptor(batch.descriptor(0, 1)).close();
        var field = ReceiveBatch.class.getDeclaredField("messages");
        field.setAccessible(true);
        ((ByteBuffer) field.get(batch)).putInt(144 + Integer.BYTES, -5);
        assertThrows(IllegalArgumentException.class, () -> InboundMessages.newMessage(Unpooled.EMPTY_BUFFER, batch, 0));
        InboundMessages.closeDescriptors(batch, 0);
        sent.content().release();
        fd.release();
        sender.close();
        receiver.close();
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "does not apply: only Linux has credentials in messages")
    void unwantedDescriptorsAreDiscardedByTheKernel() throws Exception {
        int[] pair = new int[2];
        assertEquals(0, UnixSocket.newSocketPair(SocketType.DATAGRAM.ordinal(), pair));
        UnixSocket sender = new UnixSocket(pair[0]);
        UnixSocket receiver = new UnixSocket(pair[1]);
        assertEquals(0, receiver.setOption(UnixSocket.PASSCRED, true));
        UnixFileDescriptor fd = Content.labelled("sent");
        SendBatch out = SendBatch.current();
        UnixFileDescriptor[] fds = new UnixFileDescriptor[50];
        Arrays.fill(fds, fd);
        UnixMessage sent = new UnixMessage(Unpooled.directBuffer(1).writeByte(1), fds);
        OutboundMessages.add(out, DescriptorUses.current(), sent, null, null);
        assertEquals(1, out.sendRecords(sender, 0));
        DescriptorUses.current().end(0);
        ReceiveBatch batch = ReceiveBatch.current();
        var field = ReceiveBatch.class.getDeclaredField("messages");
        field.setAccessible(true);
        ByteBuffer control = ((ByteBuffer) field.get(batch)).slice(1176, 1832).order(ByteOrder.nativeOrder());
        control.put(0, new byte[control.capacity()]);
        int wanted = ReceiveBatch.RECORDS | ReceiveBatch.CONTROL | ReceiveBatch.CREDENTIALS;
        assertEquals(1, batch.receive(receiver, 32, 100, 0, wanted));
        assertTrue(batch.hasCredentials(0) && !batch.isControlTruncated(0));
        // A descriptor that the kernel had installed and C had closed would be visible here.
        int length = (int) control.getLong(0);
        assertEquals(0, control.getLong((length + 7) / 8 * 8), "a second control message");
        sent.content().release();
        fd.release();
        sender.close();
        receiver.close();
    }
}
