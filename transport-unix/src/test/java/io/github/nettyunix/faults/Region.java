package io.github.nettyunix.faults;

import io.github.nettyunix.SocketType;
import io.github.nettyunix.testing.ChannelPair;
import io.github.nettyunix.testing.Channels;
import io.github.nettyunix.testing.Descriptors;
import io.github.nettyunix.testing.Loops;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultFileRegion;

import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A file, and text behind it, sent by a stream on the event loop whose calls fail. */
record Region() implements Workload {
    private static final int SIZE = 300_000;
    private static final String END = "behind the file";

    /** All bytes that have arrived. */
    private static final class Bytes extends ChannelInboundHandlerAdapter {
        private final ByteArrayOutputStream all = new ByteArrayOutputStream();
        private boolean ended;

        @Override
        public synchronized void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf buffer = (ByteBuf) message;
            byte[] bytes = new byte[buffer.readableBytes()];
            buffer.readBytes(bytes).release();
            all.writeBytes(bytes);
        }

        @Override
        public synchronized void channelInactive(ChannelHandlerContext ctx) {
            ended = true;
        }

        synchronized byte[] bytes() {
            return all.toByteArray();
        }

        synchronized boolean hasEnded() {
            return ended;
        }
    }

    @Override
    public String title() {
        return "stream, file region";
    }

    @Override
    public boolean makesMany() {
        return true;
    }

    @Override
    public Outcome run(Fault fault) throws Exception {
        Descriptors before = Descriptors.now();
        Outcome outcome = new Outcome(fault);
        byte[] content = new byte[SIZE + END.length()];
        for (int i = 0; i < SIZE; i++) {
            content[i] = (byte) (i * 7 + i / 251);
        }
        System.arraycopy(END.getBytes(), 0, content, SIZE, END.length());
        Path file = Files.createTempFile("faults", "");
        Files.write(file, Arrays.copyOf(content, SIZE));
        List<? extends Channel> pair = Channels.pair(SocketType.STREAM);
        Channel faulty = pair.get(0);
        Channel peer = pair.get(1);
        Bytes bytes = new Bytes();
        peer.pipeline().addLast(bytes);
        try {
            FaultyLoop.GROUP.register(faulty).sync();
            Loops.group().register(peer).sync();
            fault.arm();
            ChannelFuture region = faulty.write(new DefaultFileRegion(file.toFile(), 0, SIZE));
            ChannelFuture text = faulty.writeAndFlush(ChannelPair.buffer(END));
            outcome.await(() -> region.isDone() && text.isDone()
                    && (region.isSuccess() ? bytes.bytes().length == content.length : !faulty.isOpen()
                            && bytes.hasEnded()), () -> "the file, of which " + bytes.bytes().length + " bytes came");
            if (region.isSuccess()) {
                assertArrayEquals(content, bytes.bytes());
            } else {
                outcome.writeFailed(region.cause());
                outcome.closed();
                assertTrue(!text.isSuccess() && bytes.bytes().length < SIZE, "text has followed what is missing");
                assertArrayEquals(Arrays.copyOf(content, bytes.bytes().length), bytes.bytes());
            }
        } finally {
            Injector.clear();
            faulty.close().sync();
            peer.close().sync();
            Files.delete(file);
        }
        before.assertUnchanged();
        return outcome;
    }
}
