package io.github.nettyunix.soak;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.UnixSocketAddress;
import io.github.nettyunix.testing.Jvm;
import io.github.nettyunix.testing.Loops;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;

/**
 * Records through shared memory, as many and as fast as possible, to another JVM and at the same time from it. Some
 * have a descriptor, and some are so long that they pass in pieces.
 */
final class Records implements Run {
    private static final int DESCRIPTOR_EVERY = 64;
    private static final int LONG_EVERY = 1 << 14;
    private static final int LONG = 600_000;
    private static final int OFFSETS = 256;
    private static final ByteBuf PATTERN = pattern();

    private static ByteBuf pattern() {
        byte[] bytes = new byte[LONG + OFFSETS];
        new Random(1).nextBytes(bytes);
        return Unpooled.unreleasableBuffer(Unpooled.directBuffer(bytes.length).writeBytes(bytes));
    }

    /** The other JVM. Its arguments are the address to connect to, and how many records to send and to receive. */
    static final class Peer {
        private Peer() {
        }

        public static void main(String[] arguments) throws Exception {
            UnixSocketAddress address = UnixSocketAddress.ofBytes(HexFormat.of().parseHex(arguments[0]));
            try (Traffic traffic = new Traffic(false)) {
                End end = new End(traffic, Integer.parseInt(arguments[1]));
                Channel channel = traffic.client(Kind.SHARED_MEMORY, end).connect(address).sync().channel();
                end.await();
                // Not closed, since the other side may have sent a wake-up that is still unread.
                ((DuplexChannel) channel).shutdownOutput().sync();
                channel.closeFuture().sync();
                traffic.end();
            }
            System.exit(0);
        }
    }

    @Override
    public String run(int count) throws Exception {
        int each = count / 2;
        try (Traffic traffic = new Traffic(false)) {
            UnixSocketAddress address = traffic.address(Kind.SHARED_MEMORY);
            End end = new End(traffic, each);
            Channel server = traffic.bind(Kind.SHARED_MEMORY, address, () -> end);
            List<String> command = Jvm.command(Peer.class, "-Xmx128m", "-Dnettyunix.test.selector=" + Loops.selector());
            command.addAll(List.of(Traffic.hex(address), "" + each));
            Process peer = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
            try {
                end.await();
                assertEquals(0, peer.waitFor(), "the exit status of the other JVM");
            } finally {
                peer.destroyForcibly();
                peer.getInputStream().close();
                peer.getOutputStream().close();
            }
            server.close().sync();
            traffic.end();
        }
        return count + " records, one of " + DESCRIPTOR_EVERY + " with a descriptor, one of " + LONG_EVERY + " with "
                + LONG + " bytes";
    }

    /** Either end of the connection. */
    private static final class End extends ChannelInboundHandlerAdapter {
        private final Traffic traffic;
        private final int count;
        private volatile int sent;
        private volatile int received;

        End(Traffic traffic, int count) {
            this.traffic = traffic;
            this.count = count;
        }

        /** Waits until all have been sent and received; there is to be progress meanwhile. */
        void await() {
            while (!isDone()) {
                int before = progress();
                traffic.await(() -> isDone() || progress() != before, "no records any more");
            }
        }

        private boolean isDone() {
            return progress() == 2 * count && traffic.isWritten();
        }

        private int progress() {
            return received + sent;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            send(ctx);
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            send(ctx);
        }

        private void send(ChannelHandlerContext ctx) {
            while (sent < count && ctx.channel().isWritable()) {
                int number = sent;
                // A write may change whether the channel is writable, and so call this method.
                sent = number + 1;
                ByteBuf content = ctx.alloc().directBuffer(length(number)).writeInt(number);
                content.writeBytes(PATTERN, number % OFFSETS, length(number) - Integer.BYTES);
                traffic.write(ctx, hasDescriptor(number)
                        ? new UnixMessage(content, traffic.file(number / DESCRIPTOR_EVERY)) : content);
            }
            ctx.flush();
        }

        private static boolean hasDescriptor(int number) {
            return number % DESCRIPTOR_EVERY == DESCRIPTOR_EVERY - 1;
        }

        /** Most are short, and of every length modulo 8. */
        private static int length(int number) {
            return number % LONG_EVERY == LONG_EVERY - 1 ? LONG : Integer.BYTES + number % 61;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
            UnixMessage record = (UnixMessage) message;
            try {
                check(record.content(), record.fileDescriptors());
            } finally {
                record.release();
            }
            received = received + 1;
        }

        private void check(ByteBuf content, List<UnixFileDescriptor> files) throws IOException {
            int number = received;
            require(content.readableBytes() == length(number), "length");
            require(content.readInt() == number, "number");
            require(content.equals(PATTERN.slice(number % OFFSETS, content.readableBytes())), "content");
            require(files.size() == (hasDescriptor(number) ? 1 : 0), "number of descriptors");
            for (UnixFileDescriptor file : files) {
                require(file.size() == number / DESCRIPTOR_EVERY % Traffic.FILES, "descriptor");
            }
        }

        private void require(boolean condition, String what) throws IOException {
            if (!condition) {
                throw new IOException("record " + received + ": wrong " + what);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            traffic.failed(cause);
        }
    }
}
