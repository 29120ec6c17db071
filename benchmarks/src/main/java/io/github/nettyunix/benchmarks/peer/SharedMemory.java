package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.benchmarks.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Payloads through shared memory: the client copies each into one of two memfds in turn and passes the memfd with a header;
 * the server has both mapped after their first use, and acknowledges what it has looked at.
 */
final class SharedMemory {
    private static final int MEMFDS = 2;

    private SharedMemory() {
    }

    private static ByteBuffer map(UnixFileDescriptor fd, int size) throws IOException {
        try (FileChannel file = fd.toFileChannel(StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return file.map(FileChannel.MapMode.READ_WRITE, 0, size);
        }
    }

    static final class Receiver extends ChannelInboundHandlerAdapter {
        private final int size;
        private final Tally tally;
        private final ByteBuffer[] memory = new ByteBuffer[MEMFDS];

        Receiver(int size, Tally tally) {
            this.size = size;
            this.tally = tally;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object object) throws IOException {
            UnixMessage message = (UnixMessage) object;
            int rest = message.content().readInt();
            long number = message.content().readLong();
            int index = (int) (number % MEMFDS);
            if (memory[index] == null) {
                memory[index] = map(message.fileDescriptors().get(0), size);
            }
            message.release();
            if (memory[index].getLong(0) != number || memory[index].getLong(size - Long.BYTES) != number) {
                tally.error();
            }
            tally.message(size, rest, number);
            WindowedClient.acknowledge(context);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            cause.printStackTrace();
            tally.error();
        }
    }

    static final class Sender extends WindowedClient {
        private final int size;
        private final ByteBuffer payload;
        private final UnixFileDescriptor[] fds = new UnixFileDescriptor[MEMFDS];
        private final ByteBuffer[] memory = new ByteBuffer[MEMFDS];

        Sender(int size) throws IOException {
            super(MEMFDS, 1);
            this.size = size;
            payload = ByteBuffer.allocateDirect(size);
            for (int i = 0; i < MEMFDS; i++) {
                // As a memfd is: a file in memory without a name. Those of UnixFileDescriptor.memfd cannot be written again.
                Path file = Files.createTempFile(Path.of("/dev/shm"), "payload", null);
                fds[i] = UnixFileDescriptor.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Files.delete(file);
                memory[i] = map(fds[i], size);
            }
        }

        @Override
        void write(Channel channel, long number) {
            int index = (int) (number % MEMFDS);
            payload.putLong(0, number).putLong(size - Long.BYTES, number);
            memory[index].put(0, payload, 0, size);
            ByteBuf header = channel.alloc().directBuffer(Settings.HEADER).writeInt(size - Integer.BYTES).writeLong(number);
            channel.write(new UnixMessage(header, fds[index].retain()), channel.voidPromise());
        }
    }
}
