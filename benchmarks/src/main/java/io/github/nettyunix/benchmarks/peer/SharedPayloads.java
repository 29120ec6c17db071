package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.UnixFileDescriptor;
import io.github.nettyunix.UnixMessage;
import io.github.nettyunix.benchmarks.Settings;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Payloads in shared memory. The client copies each into one of two memfds, alternately, and passes the memfd with a
 * header. The server maps both when they first arrive, and acknowledges what it has looked at.
 */
final class SharedPayloads {
    private static final int MEMFDS = 2;

    private SharedPayloads() {
    }

    private static ByteBuffer map(UnixFileDescriptor fd, int size) throws IOException {
        try (FileChannel file = fd.toFileChannel(StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return file.map(FileChannel.MapMode.READ_WRITE, 0, size);
        }
    }

    static final class Receiver extends Receivers.Receiver {
        private final int size;
        private final ByteBuffer[] memory = new ByteBuffer[MEMFDS];

        Receiver(Counters counters, int size) {
            super(counters);
            this.size = size;
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
                counters.error();
            }
            counters.message(size, rest, number);
            Senders.WindowedSender.acknowledge(context);
        }
    }

    static NettyClient newSender(int size) throws IOException {
        ByteBuffer payload = ByteBuffer.allocateDirect(size);
        UnixFileDescriptor[] fds = new UnixFileDescriptor[MEMFDS];
        ByteBuffer[] memory = new ByteBuffer[MEMFDS];
        for (int i = 0; i < MEMFDS; i++) {
            // Like a memfd, a file in memory without a name; UnixFileDescriptor.memfd returns one that is sealed.
            Path file = Files.createTempFile(Path.of("/dev/shm"), "payload", null);
            fds[i] = UnixFileDescriptor.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            Files.delete(file);
            memory[i] = map(fds[i], size);
        }
        return new Senders.WindowedSender(MEMFDS, 1, (channel, number) -> {
            int index = (int) (number % MEMFDS);
            payload.putLong(0, number).putLong(size - Long.BYTES, number);
            memory[index].put(0, payload, 0, size);
            ByteBuf header = channel.alloc().directBuffer(Settings.HEADER);
            header.writeInt(size - Integer.BYTES).writeLong(number);
            return new UnixMessage(header, fds[index].retain());
        });
    }
}
