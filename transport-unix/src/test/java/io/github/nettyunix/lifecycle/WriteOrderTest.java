package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Ends;
import io.github.nettyunix.testing.Inbox;
import io.github.nettyunix.testing.NothingLeft;
import io.github.nettyunix.testing.Proof;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import org.junit.jupiter.api.extension.ExtendWith;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The order of writes, of what arrives, and of promises. */
@ExtendWith(NothingLeft.class)
class WriteOrderTest {
    /** The texts that arrive, up to the one that ends with the mark; a stream's are one text. */
    private static List<String> arrived(Ends ends, SocketType type, String last) {
        List<String> texts = new ArrayList<>();
        StringBuilder stream = new StringBuilder();
        do {
            String text = ends.text();
            stream.append(text);
            texts.add(text);
        } while (stream.indexOf(last) < 0);
        return type == SocketType.STREAM ? List.of(stream.toString()) : texts;
    }

    private static List<String> expected(SocketType type, String... texts) {
        return type == SocketType.STREAM ? List.of(String.join("", texts)) : List.of(texts);
    }

    @EachType
    void mixedWritesArriveInTheirOrder(SocketType type) throws Exception {
        try (Ends ends = Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            Channel sender = ends.sender;
            ByteBuf direct = Unpooled.directBuffer().writeBytes(Ends.buffer("direct "));
            ByteBuf composite = Unpooled.wrappedBuffer(Ends.buffer("com"), Ends.buffer("posite "));
            List<ChannelFuture> writes = List.of(sender.write(Ends.buffer("heap ")),
                    sender.write(Unpooled.EMPTY_BUFFER),
                    sender.write(direct), sender.write(new UnixMessage(Ends.buffer("message "), Descriptors.some(2))),
                    sender.write(Descriptors.some(1)[0]), sender.write(composite),
                    sender.write(new UnixMessage(Ends.buffer("no fds "))), sender.write(Unpooled.buffer(0)),
                    sender.write(new UnixMessage(Ends.buffer("end"), Descriptors.some(1))));
            sender.flush();
            assertEquals(expected(type, "heap ", "", "direct ", "message ", type == SocketType.STREAM ? "\0" : "",
                    "composite ", "no fds ", "", "end"), arrived(ends, type, "end"));
            for (ChannelFuture write : writes) {
                write.sync();
            }
        }
        Proof.of("itself", "buffers, messages and descriptors written to a " + type + " channel arrive in order");
    }

    @EachType
    void cancelledWritesAreNotSent(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(4);
        try (Ends ends = Ends.started(type)) {
            Channel sender = ends.sender;
            sender.eventLoop().submit(() -> {
                List<ChannelFuture> cancelled = new ArrayList<>();
                cancelled.add(sender.write(Ends.buffer("first")));
                cancelled.add(sender.write(new UnixMessage(Ends.buffer("with fds"), fds[0], fds[1])));
                sender.write(Ends.buffer("1"));
                cancelled.add(sender.write(Unpooled.EMPTY_BUFFER));
                cancelled.add(sender.write(fds[2]));
                sender.write(Unpooled.EMPTY_BUFFER);
                sender.write(Ends.buffer("2"));
                cancelled.add(sender.write(new UnixMessage(Unpooled.EMPTY_BUFFER)));
                sender.write(new UnixMessage(Ends.buffer("3"), fds[3]));
                cancelled.add(sender.write(Ends.buffer("last")));
                cancelled.forEach(write -> assertTrue(write.cancel(false)));
                sender.flush();
                return null;
            }).sync();
            assertEquals(0, Descriptors.countOpen(fds));
            ends.send("end").sync();
            assertEquals(expected(type, "1", "", "2", "3", "end"), arrived(ends, type, "end"));
        }
        Proof.of("itself", "cancelled writes, empty ones too, are not sent by a " + type + " channel");
    }

    /** With nothing else to send, so that all that there is to do is to tell who has failed. */
    @EachType
    void whoIsToldOfAFailureMayWriteAgain(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(2);
        try (Ends ends = Ends.started(type)) {
            ends.sender.eventLoop().submit(() -> {
                for (UnixFileDescriptor fd : fds) {
                    ends.sender.write(new UnixMessage(Ends.buffer("never"), fd))
                            .addListener(failed -> ends.send("instead;"));
                    fd.close();
                }
                ends.sender.flush();
                return null;
            }).sync();
            if (type == SocketType.STREAM) {
                // Nothing may follow what is missing.
                assertSame(Inbox.INACTIVE, ends.inbox.take());
            } else {
                assertEquals(List.of("instead;", "instead;"), arrived(ends, type, "instead;instead;"));
            }
        }
        Proof.of("itself", "what is written to a " + type + " channel by the listener of a write that failed is "
                + (type == SocketType.STREAM ? "not sent" : "sent"));
    }

    /** On a stream none fails: it would end the output. */
    @EachType
    void promisesCompleteInTheOrderOfTheWritesEvenIfSomeFail(SocketType type) throws Exception {
        int count = 500;
        int failing = type == SocketType.STREAM ? -1 : 5;
        List<Integer> completed = new ArrayList<>();
        Ends pair = Ends.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .withSender(ChannelOption.SO_SNDBUF, 5000);
        try (Ends ends = pair.start()) {
            List<UnixFileDescriptor> closed = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int index = i;
                UnixFileDescriptor[] fds = Descriptors.some(i % 10 == 5 ? 1 : i % 3);
                if (i % 10 == failing) {
                    closed.add(fds[0]);
                }
                ends.sender.write(new UnixMessage(Ends.buffer("message " + i + ';'), fds)).addListener(done -> {
                    // On the sender's loop only.
                    completed.add(index);
                    assertEquals(index % 10 != failing, done.isSuccess());
                });
            }
            Ends.settle(ends.sender);
            for (UnixFileDescriptor fd : closed) {
                fd.close();
            }
            ends.sender.flush();
            String all = String.join("", arrived(ends, type, "message " + (count - 1) + ';'));
            Ends.settle(ends.sender);
            assertEquals(IntStream.range(0, count).boxed().toList(), completed);
            String sent = IntStream.range(0, count).filter(i -> i % 10 != failing)
                    .mapToObj(i -> "message " + i + ';').reduce("", String::concat);
            assertEquals(sent, all);
        }
        Proof.of("itself", "promises of a " + type + " channel complete in the order of the writes");
    }

    @EachType
    void writabilityBoundsTheDescriptorsThatWait(SocketType type) throws Exception {
        BlockingQueue<Boolean> writability = new LinkedBlockingQueue<>();
        Ends pair = Ends.of(type).with(ChannelOption.AUTO_READ, false).withSender(ChannelOption.SO_SNDBUF, 4000);
        pair.sender.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelWritabilityChanged(ChannelHandlerContext ctx) {
                writability.add(ctx.channel().isWritable());
            }
        });
        List<UnixFileDescriptor> fds = new ArrayList<>();
        try (Ends ends = pair.start()) {
            while (ends.sender.isWritable()) {
                fds.add(Descriptors.some(1)[0]);
                ends.sender.writeAndFlush(new UnixMessage(Ends.buffer("x"), fds.get(fds.size() - 1)));
                Ends.settle(ends.sender);
            }
            int waiting = Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0]));
            assertTrue(waiting > 50 && waiting <= 128, "waiting: " + waiting);
            assertFalse(writability.poll(10, TimeUnit.SECONDS));
            ends.receiver.config().setAutoRead(true);
            assertTrue(writability.poll(10, TimeUnit.SECONDS));
            assertTrue(Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0])) < waiting);
        }
        assertEquals(0, Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0])));
        Proof.of("itself", "with the default watermark no more than 128 descriptors wait in a " + type + " channel");
    }
}
