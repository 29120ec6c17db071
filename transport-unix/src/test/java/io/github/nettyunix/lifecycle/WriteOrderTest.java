package io.github.nettyunix.lifecycle;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketOption;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.EachType;
import io.github.nettyunix.testing.Evidence;
import io.github.nettyunix.testing.LeakCheckExtension;
import io.github.nettyunix.testing.RecordingHandler;
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

/** The order of writes, of messages that arrive, and of promises. */
@ExtendWith(LeakCheckExtension.class)
class WriteOrderTest {
    /** Returns the texts that arrive, up to the one that ends with the mark; those of a stream are one text. */
    private static List<String> arrived(ChannelPair pair, SocketType type, String last) {
        List<String> texts = new ArrayList<>();
        StringBuilder stream = new StringBuilder();
        do {
            String text = pair.text();
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
        try (ChannelPair pair = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true).start()) {
            Channel sender = pair.sender;
            ByteBuf direct = Unpooled.directBuffer().writeBytes(ChannelPair.buffer("direct "));
            ByteBuf composite = Unpooled.wrappedBuffer(ChannelPair.buffer("com"), ChannelPair.buffer("posite "));
            List<ChannelFuture> writes = List.of(sender.write(ChannelPair.buffer("heap ")),
                    sender.write(Unpooled.EMPTY_BUFFER),
                    sender.write(direct),
                    sender.write(new UnixMessage(ChannelPair.buffer("message "), Descriptors.some(2))),
                    sender.write(Descriptors.some(1)[0]), sender.write(composite),
                    sender.write(new UnixMessage(ChannelPair.buffer("no fds "))), sender.write(Unpooled.buffer(0)),
                    sender.write(new UnixMessage(ChannelPair.buffer("end"), Descriptors.some(1))));
            sender.flush();
            assertEquals(expected(type, "heap ", "", "direct ", "message ", type == SocketType.STREAM ? "\0" : "",
                    "composite ", "no fds ", "", "end"), arrived(pair, type, "end"));
            for (ChannelFuture write : writes) {
                write.sync();
            }
        }
        Evidence.of("itself", "buffers, messages and descriptors written to a " + type + " channel arrive in order");
    }

    @EachType
    void cancelledWritesAreNotSent(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(4);
        try (ChannelPair pair = ChannelPair.started(type)) {
            Channel sender = pair.sender;
            sender.eventLoop().submit(() -> {
                List<ChannelFuture> cancelled = new ArrayList<>();
                cancelled.add(sender.write(ChannelPair.buffer("first")));
                cancelled.add(sender.write(new UnixMessage(ChannelPair.buffer("with fds"), fds[0], fds[1])));
                sender.write(ChannelPair.buffer("1"));
                cancelled.add(sender.write(Unpooled.EMPTY_BUFFER));
                cancelled.add(sender.write(fds[2]));
                sender.write(Unpooled.EMPTY_BUFFER);
                sender.write(ChannelPair.buffer("2"));
                cancelled.add(sender.write(new UnixMessage(Unpooled.EMPTY_BUFFER)));
                sender.write(new UnixMessage(ChannelPair.buffer("3"), fds[3]));
                cancelled.add(sender.write(ChannelPair.buffer("last")));
                cancelled.forEach(write -> assertTrue(write.cancel(false)));
                sender.flush();
                return null;
            }).sync();
            assertEquals(0, Descriptors.countOpen(fds));
            pair.send("end").sync();
            assertEquals(expected(type, "1", "", "2", "3", "end"), arrived(pair, type, "end"));
        }
        Evidence.of("itself", "cancelled writes, empty ones too, are not sent by a " + type + " channel");
    }

    /** With nothing else to send, so that completing the failed promises is all there is to do. */
    @EachType
    void listenerOfAFailureMayWriteAgain(SocketType type) throws Exception {
        UnixFileDescriptor[] fds = Descriptors.some(2);
        try (ChannelPair pair = ChannelPair.started(type)) {
            pair.sender.eventLoop().submit(() -> {
                for (UnixFileDescriptor fd : fds) {
                    pair.sender.write(new UnixMessage(ChannelPair.buffer("never"), fd))
                            .addListener(failed -> pair.send("instead;"));
                    fd.close();
                }
                pair.sender.flush();
                return null;
            }).sync();
            if (type == SocketType.STREAM) {
                // Nothing may follow the missing message.
                assertSame(RecordingHandler.INACTIVE, pair.inbox.take());
            } else {
                assertEquals(List.of("instead;", "instead;"), arrived(pair, type, "instead;instead;"));
            }
        }
        Evidence.of("itself", "what is written to a " + type + " channel by the listener of a write that failed is "
                + (type == SocketType.STREAM ? "not sent" : "sent"));
    }

    /** On a stream none fails: it would end the output. */
    @EachType
    void promisesCompleteInTheOrderOfTheWritesEvenIfSomeFail(SocketType type) throws Exception {
        int count = 500;
        int failing = type == SocketType.STREAM ? -1 : 5;
        List<Integer> completed = new ArrayList<>();
        ChannelPair prepared = ChannelPair.of(type).with(UnixSocketOption.RECEIVE_CONTROL_DATA, true)
                .withSender(ChannelOption.SO_SNDBUF, 5000);
        try (ChannelPair pair = prepared.start()) {
            List<UnixFileDescriptor> closed = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int index = i;
                UnixFileDescriptor[] fds = Descriptors.some(i % 10 == 5 ? 1 : i % 3);
                if (i % 10 == failing) {
                    closed.add(fds[0]);
                }
                pair.sender.write(new UnixMessage(ChannelPair.buffer("message " + i + ';'), fds)).addListener(done -> {
                    // On the sender's loop only.
                    completed.add(index);
                    assertEquals(index % 10 != failing, done.isSuccess());
                });
            }
            ChannelPair.settle(pair.sender);
            for (UnixFileDescriptor fd : closed) {
                fd.close();
            }
            pair.sender.flush();
            String all = String.join("", arrived(pair, type, "message " + (count - 1) + ';'));
            ChannelPair.settle(pair.sender);
            assertEquals(IntStream.range(0, count).boxed().toList(), completed);
            String sent = IntStream.range(0, count).filter(i -> i % 10 != failing)
                    .mapToObj(i -> "message " + i + ';').reduce("", String::concat);
            assertEquals(sent, all);
        }
        Evidence.of("itself", "promises of a " + type + " channel complete in the order of the writes");
    }

    @EachType
    void writabilityBoundsTheDescriptorsThatWait(SocketType type) throws Exception {
        BlockingQueue<Boolean> writability = new LinkedBlockingQueue<>();
        ChannelPair prepared = ChannelPair.of(type).with(ChannelOption.AUTO_READ, false)
                .withSender(ChannelOption.SO_SNDBUF, 4000);
        prepared.sender.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelWritabilityChanged(ChannelHandlerContext ctx) {
                writability.add(ctx.channel().isWritable());
            }
        });
        List<UnixFileDescriptor> fds = new ArrayList<>();
        try (ChannelPair pair = prepared.start()) {
            while (pair.sender.isWritable()) {
                fds.add(Descriptors.some(1)[0]);
                pair.sender.writeAndFlush(new UnixMessage(ChannelPair.buffer("x"), fds.get(fds.size() - 1)));
                ChannelPair.settle(pair.sender);
            }
            int waiting = Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0]));
            assertTrue(waiting > 50 && waiting <= 128, "waiting: " + waiting);
            assertFalse(writability.poll(10, TimeUnit.SECONDS));
            pair.receiver.config().setAutoRead(true);
            assertTrue(writability.poll(10, TimeUnit.SECONDS));
            assertTrue(Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0])) < waiting);
        }
        assertEquals(0, Descriptors.countOpen(fds.toArray(new UnixFileDescriptor[0])));
        Evidence.of("itself", "with the default watermark no more than 128 descriptors wait in a " + type + " channel");
    }
}
